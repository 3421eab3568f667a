/**
 * The Python program that a drain gate runs when its pod is deleted: it returns as soon as nothing is left to wait for, or
 * when the time is up. It is written in Python because that reads JSON and verifies the API server's certificate with the
 * standard library alone. An answer that cannot be read counts as "not done yet".
 */
export const drainScript = `
import json, os, re, ssl, sys, time, urllib.request

subject = os.environ["SUBJECT"]
driver = os.environ["DRIVER"]
deadline = time.time() + int(os.environ["TIMEOUT_SECONDS"])
account = "/var/run/secrets/kubernetes.io/serviceaccount/"

def listed(path):
    with open(account + "token") as file:
        token = file.read()
    request = urllib.request.Request("https://kubernetes.default.svc" + path, headers={"Authorization": "Bearer " + token})
    trust = ssl.create_default_context(cafile=account + "ca.crt")
    with urllib.request.urlopen(request, timeout=10, context=trust) as answer:
        return json.load(answer)["items"]

def leaving(item):
    return bool(item["metadata"].get("deletionTimestamp"))

def volumes_left():
    left = []
    for volume in listed("/api/v1/persistentvolumes"):
        spec = volume["spec"]
        if (spec.get("csi") or {}).get("driver") != driver or spec.get("persistentVolumeReclaimPolicy") != "Delete":
            continue
        if leaving(volume) or volume.get("status", {}).get("phase") in ("Released", "Failed"):
            left.append("volume " + volume["metadata"]["name"])
    for attachment in listed("/apis/storage.k8s.io/v1/volumeattachments"):
        if attachment["spec"].get("attacher") == driver and leaving(attachment):
            left.append("attachment " + attachment["metadata"]["name"])
    return left

def load_balancers_left():
    services = [item for item in listed("/api/v1/services") if item["spec"].get("type") == "LoadBalancer"]
    ingresses = listed("/apis/networking.k8s.io/v1/ingresses")
    return [item["metadata"]["namespace"] + "/" + item["metadata"]["name"] for item in services + ingresses if leaving(item)]

started = time.time()
syncs = set()

def records_left():
    with urllib.request.urlopen(os.environ["METRICS_URL"], timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(r"^external_dns_controller_last_sync_timestamp_seconds ([0-9.e+]+)", text, re.M)
    if found and float(found.group(1)) > started:
        syncs.add(found.group(1))
    # The first synchronisation that ends after the start may have begun before it; the second did not.
    return [] if len(syncs) >= 2 else ["records that ExternalDNS has not looked at again"]

left_by_subject = {"volumes": volumes_left, "load-balancers": load_balancers_left, "dns-records": records_left}
calm = 0
while time.time() < deadline:
    try:
        left = left_by_subject[subject]()
    except Exception as error:
        left = ["no answer: " + str(error)]
    # Twice calm in a row: a claim that was deleted a moment ago releases its volume a moment later.
    calm = 0 if left else calm + 1
    if calm >= 2:
        sys.exit(0)
    print("waiting for " + ", ".join(left), flush=True)
    time.sleep(5)
print("time is up", flush=True)
`.trim();

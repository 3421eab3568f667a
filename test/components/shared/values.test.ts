import assert from "node:assert/strict";
import { cidrContains, cidrPart, cidrsOverlap, formatCidr, parseCidr } from "../../../components/shared/cidr";
import { isLabelKey, isLabelValue, labelProblems, namespaceProblems } from "../../../components/shared/kubernetesNames";
import { parseQuantity } from "../../../components/shared/quantity";
import { zoneProblems } from "../../../components/shared/zones";

function cidr(text: string) {
    const parsed = parseCidr(text);
    assert.ok(parsed, text);
    return parsed;
}

describe("CIDR blocks", () => {
    it("are read and written", () => {
        for (const text of ["0.0.0.0/0", "10.20.32.0/19", "192.168.255.255/32", "200.0.0.0/8"]) {
            assert.equal(formatCidr(cidr(text)), text);
        }
    });
    for (const text of ["10.0.0.1/16", "10.0.0.0", "256.0.0.0/8", "10.0.0.0/33", "::/0", "10.0.0/8"]) {
        it(`refuse ${text}`, () => assert.equal(parseCidr(text), undefined));
    }
    it("know their parts", () => {
        const vpc = cidr("10.20.0.0/16");
        assert.equal(formatCidr(cidrPart(vpc, 19, 3)), "10.20.96.0/19");
        assert.ok(cidrContains(vpc, cidr("10.20.96.0/19")));
        assert.ok(!cidrContains(cidr("10.20.96.0/19"), vpc));
        assert.ok(cidrsOverlap(cidr("10.20.96.0/19"), vpc));
        assert.ok(!cidrsOverlap(cidr("10.20.0.0/19"), cidr("10.20.32.0/19")));
    });
});

describe("Kubernetes quantities", () => {
    const good: [string, number][] = [
        ["10Gi", 10 * 2 ** 30],
        ["500m", 0.5],
        ["1", 1],
        ["1.5G", 1.5e9],
        ["2e3", 2000],
        [".5", 0.5],
    ];
    for (const [text, value] of good) {
        it(`read ${text}`, () => assert.equal(parseQuantity(text), value));
    }
    for (const text of ["", "10GB", "10 Gi", "ten", "1ki", "Gi"]) {
        it(`refuse "${text}"`, () => assert.equal(parseQuantity(text), undefined));
    }
});

describe("Kubernetes names", () => {
    it("take label keys and values as Kubernetes does", () => {
        for (const key of ["disk", "system-node", "a.b", "example.com/Disk_1"]) {
            assert.ok(isLabelKey(key), key);
        }
        for (const key of ["", "-a", "a/b/c", "Example.com/a", "a b", "x".repeat(64)]) {
            assert.ok(!isLabelKey(key), key);
        }
        assert.ok(isLabelValue("") && isLabelValue("nvme") && !isLabelValue("a b") && !isLabelValue("x".repeat(64)));
    });
    it("name the label that is wrong", () => {
        assert.deepEqual(
            labelProblems("labels", { good: "yes", "bad key": "no way" }).map(({ path }) => path),
            ["labels.bad key", "labels.bad key"],
        );
        assert.equal(namespaceProblems("namespace", "Air Flow").length, 1);
        assert.equal(namespaceProblems("namespace", "airflow").length, 0);
    });
});

describe("zones", () => {
    it("are taken by their full names", () =>
        assert.deepEqual(zoneProblems("zones", ["eu-west-1a", "eu-west-1b"], 2), []));
    it("of GovCloud are zones", () => assert.deepEqual(zoneProblems("zones", ["us-gov-west-1a"]), []));
    it("are refused with every finding", () => {
        assert.deepEqual(
            zoneProblems("zones", ["a", "eu-west-1a", "eu-west-1a", "us-east-1a"]).map(({ path }) => path),
            ["zones[0]", "zones[2]", "zones"],
        );
        assert.match(zoneProblems("zones", ["eu-west-1a"], 2)[0].message, /only eu-west-1a; at least 2/);
        assert.match(zoneProblems("zones", [])[0].message, /no zone/);
        assert.equal(zoneProblems("zones", ["us-west-2-lax-1a"]).length, 1);
    });
});

import type { Properties } from "../shell/type";
import type { World, WorldObject } from "../shell/world";
import { isNamespaced, tokenOf, type Kind } from "./api/kinds";
import { idOf, nameOf, namespaceOf, type Manifest } from "./api/object";
import { at, text } from "./api/value";

const v1 = "v1";

/** The kinds that the controllers work with. */
export const Kinds = {
    Namespace: { apiVersion: v1, kind: "Namespace" },
    Node: { apiVersion: v1, kind: "Node" },
    Pod: { apiVersion: v1, kind: "Pod" },
    Event: { apiVersion: v1, kind: "Event" },
    Secret: { apiVersion: v1, kind: "Secret" },
    ConfigMap: { apiVersion: v1, kind: "ConfigMap" },
    Service: { apiVersion: v1, kind: "Service" },
    ServiceAccount: { apiVersion: v1, kind: "ServiceAccount" },
    PersistentVolume: { apiVersion: v1, kind: "PersistentVolume" },
    PersistentVolumeClaim: { apiVersion: v1, kind: "PersistentVolumeClaim" },
    Deployment: { apiVersion: "apps/v1", kind: "Deployment" },
    StatefulSet: { apiVersion: "apps/v1", kind: "StatefulSet" },
    DaemonSet: { apiVersion: "apps/v1", kind: "DaemonSet" },
    Job: { apiVersion: "batch/v1", kind: "Job" },
    CronJob: { apiVersion: "batch/v1", kind: "CronJob" },
    StorageClass: { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" },
    VolumeAttributesClass: { apiVersion: "storage.k8s.io/v1", kind: "VolumeAttributesClass" },
    CSIDriver: { apiVersion: "storage.k8s.io/v1", kind: "CSIDriver" },
    Ingress: { apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
    IngressClass: { apiVersion: "networking.k8s.io/v1", kind: "IngressClass" },
    PodDisruptionBudget: { apiVersion: "policy/v1", kind: "PodDisruptionBudget" },
    HorizontalPodAutoscaler: { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
    PriorityClass: { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass" },
    CustomResourceDefinition: { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
    ClusterRole: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" },
    ClusterRoleBinding: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" },
    Role: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" },
    RoleBinding: { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" },
    APIService: { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService" },
    NetworkPolicy: { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
    MutatingWebhookConfiguration: {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "MutatingWebhookConfiguration",
    },
    ValidatingWebhookConfiguration: {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
    },
    VolumeSnapshot: { apiVersion: "snapshot.storage.k8s.io/v1", kind: "VolumeSnapshot" },
    VolumeSnapshotClass: { apiVersion: "snapshot.storage.k8s.io/v1", kind: "VolumeSnapshotClass" },
    VolumeSnapshotContent: { apiVersion: "snapshot.storage.k8s.io/v1", kind: "VolumeSnapshotContent" },
    ScaledObject: { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject" },
    TargetGroupBinding: { apiVersion: "elbv2.k8s.aws/v1beta1", kind: "TargetGroupBinding" },
} as const satisfies Record<string, Kind>;

/** Where Helm releases of a cluster are remembered. */
export const releaseToken = "kubernetes:helm.sh/v3:Release";

const podToken = tokenOf(Kinds.Pod);

/** One cluster's API server: its objects in the world, and the AWS objects around it. */
export class Cluster {
    private readonly objects: World;

    /** @param aws Sees every AWS object. */
    constructor(
        readonly aws: World,
        readonly name: string,
    ) {
        this.objects = aws.within(name);
    }

    /** The cluster that a provider's view belongs to. */
    static of(world: World): Cluster {
        return new Cluster(world.everywhere, world.scopeOf(podToken) ?? "");
    }

    /** Every cluster in which something lives. */
    static all(world: World): Cluster[] {
        return world.everywhere
            .all("aws:eks/cluster:Cluster")
            .map((cluster) => new Cluster(world.everywhere, clusterName(cluster)));
    }

    /** The EKS cluster itself; absent before it is made and once it is gone. */
    get eks(): WorldObject | undefined {
        return this.aws.find("aws:eks/cluster:Cluster", (cluster) => clusterName(cluster) === this.name);
    }

    /** The Kubernetes minor version, 36 for `1.36`. */
    get minor(): number {
        return Number(text(this.eks?.outputs.version)?.split(".")[1] ?? "36");
    }

    list(kind: Kind): WorldObject[] {
        return this.objects.all(tokenOf(kind));
    }

    manifests(kind: Kind): Manifest[] {
        return this.list(kind).map((object) => object.outputs);
    }

    get(kind: Kind, namespace: string, name: string): WorldObject | undefined {
        return this.objects.get(tokenOf(kind), isNamespaced(kind.kind) ? `${namespace}/${name}` : name);
    }

    manifest(kind: Kind, namespace: string, name: string): Manifest | undefined {
        return this.get(kind, namespace, name)?.outputs;
    }

    releases(): WorldObject[] {
        return this.objects.all(releaseToken);
    }

    /** Every object that a predicate holds for, of the kinds given. */
    inNamespace(kind: Kind, namespace: string): WorldObject[] {
        return this.list(kind).filter((object) => namespaceOf(object.outputs) === namespace);
    }

    /** Makes or replaces an object that the cluster itself, a controller or a release brings. */
    apply(kind: Kind, manifest: Manifest, owner?: WorldObject["owner"]): WorldObject {
        const live = { apiVersion: kind.apiVersion, kind: kind.kind, ...manifest };
        const id = idOf(isNamespaced(kind.kind), live);
        const old = this.objects.get(tokenOf(kind), id);
        const object: WorldObject = {
            token: tokenOf(kind),
            id,
            scope: this.name,
            inputs: old?.inputs ?? {},
            outputs: live,
            implicit: old ? old.implicit : true,
            owner: owner ?? old?.owner,
        };
        this.objects.put(object);
        return object;
    }

    /** Writes a changed live manifest. */
    update(object: WorldObject, manifest: Manifest): void {
        this.objects.put({ ...object, outputs: manifest });
    }

    /** Replaces the status of an object. */
    setStatus(object: WorldObject, status: Properties): void {
        const now = this.objects.get(object.token, object.id);
        if (now && JSON.stringify(now.outputs.status) !== JSON.stringify(status)) {
            this.objects.put({ ...now, outputs: { ...now.outputs, status } });
        }
    }

    put(object: WorldObject): void {
        this.objects.put({ ...object, scope: this.name });
    }

    remove(object: WorldObject): void {
        this.objects.remove(object.token, object.id);
    }

    fresh(object: WorldObject): WorldObject | undefined {
        return this.objects.get(object.token, object.id);
    }

    /** Says what a controller has to say about an object; the same again replaces it. */
    event(kind: Kind, subject: Manifest, reason: string, message: string): void {
        const namespace = isNamespaced(kind.kind) ? namespaceOf(subject) : "default";
        const name = `${nameOf(subject)}.${reason}`.toLowerCase();
        const known = this.manifest(Kinds.Event, namespace, name);
        if (known?.message === message) {
            return;
        }
        this.apply(Kinds.Event, {
            metadata: { namespace, name },
            involvedObject: { apiVersion: kind.apiVersion, kind: kind.kind, namespace, name: nameOf(subject) },
            type: "Warning",
            reason,
            message,
        });
    }

    /** What controllers said of an object, as `kubectl describe` shows it. */
    events(kind: Kind, subject: Manifest): string[] {
        return this.list(Kinds.Event)
            .map((event) => event.outputs)
            .filter(
                (event) =>
                    at(event, "involvedObject", "kind") === kind.kind &&
                    at(event, "involvedObject", "name") === nameOf(subject) &&
                    (!isNamespaced(kind.kind) || at(event, "involvedObject", "namespace") === namespaceOf(subject)),
            )
            .map((event) => `${String(event.reason)}: ${String(event.message)}`);
    }

    /** Forgets what was said of an object: it went well after all, or it is gone. */
    clearEvents(kind: Kind, subject: Manifest): void {
        for (const event of this.list(Kinds.Event)) {
            if (
                at(event.outputs, "involvedObject", "kind") === kind.kind &&
                at(event.outputs, "involvedObject", "name") === nameOf(subject) &&
                (!isNamespaced(kind.kind) || at(event.outputs, "involvedObject", "namespace") === namespaceOf(subject))
            ) {
                this.remove(event);
            }
        }
    }

    /** Everything in the cluster goes with it; what its controllers made at AWS stays there. */
    vanish(): void {
        for (const object of this.objects.everything()) {
            if (object.token.startsWith("kubernetes:")) {
                this.remove(object);
            }
        }
    }

    next(): number {
        return this.aws.next();
    }

    hex(digits: number): string {
        return this.aws.hex(digits);
    }
}

export function clusterName(cluster: WorldObject): string {
    return text(cluster.outputs.name) ?? cluster.id;
}

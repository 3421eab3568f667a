import { isUnknown } from "../plain";
import type { Resource } from "../rule";
import { efsDriver, isEbsProvisioner } from "./backing";
import { readModes } from "./claims";
import type { KubernetesObject, StorageClass, Volume, VolumeSource } from "./model";
import { get, isTree, text, under, type Tree } from "./values";

const defaultMarks = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

/** The keys of volumes that are neither CSI, nor in-tree EBS, nor NFS. */
const otherSources = [
    "hostPath",
    "local",
    "gcePersistentDisk",
    "azureDisk",
    "azureFile",
    "cephfs",
    "rbd",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "glusterfs",
    "iscsi",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

export function readClass(object: KubernetesObject): StorageClass {
    const { body, path } = object;
    return {
        resource: object.resource,
        path,
        name: object.name,
        autoNamed: object.name === undefined,
        provisioner: text(get(body, "provisioner")),
        parameters: get(body, "parameters"),
        parametersPath: under(path, "parameters"),
        bindingMode: get(body, "volumeBindingMode"),
        bindingPath: under(path, "volumeBindingMode"),
        mountOptions: get(body, "mountOptions"),
        allowedTopologies: get(body, "allowedTopologies"),
        isDefault: isDefaultClass(object.annotations),
        partial: object.patch,
        templated: false,
    };
}

/** Whether a section of a chart's values describes a class: a provisioner that is EBS or EFS, or something that only classes have. */
export function looksLikeClass(value: Tree): boolean {
    const { provisioner } = value;
    const marks = ["parameters", "volumeBindingMode", "reclaimPolicy", "allowVolumeExpansion", "create"];
    return (
        typeof provisioner === "string" &&
        provisioner !== "" &&
        value.create !== false &&
        (isEbsProvisioner(provisioner) ||
            provisioner === efsDriver ||
            marks.some((mark) => get(value, mark) !== undefined))
    );
}

/** A class that a chart makes of its values: its template decides what they do not say. */
export function classOfValues(resource: Resource, value: Tree, path: string): StorageClass {
    const name = text(get(value, "name"));
    const annotations = get(value, "annotations");
    const object: KubernetesObject = {
        resource,
        path,
        group: "",
        kind: "",
        name,
        namespace: undefined,
        annotations,
        patch: true,
        body: value,
    };
    return { ...readClass(object), autoNamed: false, templated: true };
}

export function isDefaultClass(annotations: unknown): StorageClass["isDefault"] {
    const marks = defaultMarks.map((mark) => get(annotations, mark));
    if (marks.some((mark) => mark === "true" || mark === true)) {
        return true;
    }
    return marks.find(isUnknown) ?? false;
}

export function readVolume(object: KubernetesObject): Volume {
    const spec = get(object.body, "spec");
    const specPath = under(object.path, "spec");
    const { source, key } = readSource(spec);
    return {
        resource: object.resource,
        path: object.path,
        name: object.name,
        className:
            text(get(object.annotations, "volume.beta.kubernetes.io/storage-class")) ??
            text(get(spec, "storageClassName")),
        claimName: text(get(spec, "claimRef", "name")),
        claimNamespace: text(get(spec, "claimRef", "namespace")),
        modes: isUnknown(spec) ? spec : readModes(get(spec, "accessModes")),
        mountOptions: get(spec, "mountOptions") ?? get(object.annotations, "volume.beta.kubernetes.io/mount-options"),
        nodeTerms: get(spec, "nodeAffinity", "required", "nodeSelectorTerms"),
        source,
        sourcePath: key === undefined ? specPath : under(specPath, key),
        partial: object.patch,
    };
}

/** What a volume, of a pod or a PersistentVolume, stands for. */
export function readSource(spec: unknown): { source: VolumeSource; key?: string } {
    if (isUnknown(spec)) {
        return { source: { type: "unknown" } };
    }
    const csi = get(spec, "csi");
    if (csi !== undefined) {
        const source: VolumeSource = { type: "csi", attributes: get(csi, "volumeAttributes") };
        source.driver = text(get(csi, "driver"));
        source.handle = text(get(csi, "volumeHandle"));
        return { source, key: "csi" };
    }
    if (get(spec, "awsElasticBlockStore") !== undefined) {
        return { source: { type: "awsElasticBlockStore" }, key: "awsElasticBlockStore" };
    }
    const nfs = get(spec, "nfs");
    if (nfs !== undefined) {
        return { source: { type: "nfs", server: text(get(nfs, "server")) }, key: "nfs" };
    }
    const other = otherSources.find((key) => get(spec, key) !== undefined);
    return other === undefined ? { source: { type: "none" } } : { source: { type: "other", other }, key: other };
}

/** Whether an object found somewhere is a volume of a pod that is mounted without a claim. */
export function looksLikeMount(value: unknown): boolean {
    if (!isTree(value) || !["csi", "awsElasticBlockStore", "nfs"].some((key) => Object.hasOwn(value, key))) {
        return false;
    }
    const { source } = readSource(value);
    switch (source.type) {
        case "awsElasticBlockStore":
            return isTree(value.awsElasticBlockStore) || isUnknown(value.awsElasticBlockStore);
        case "csi":
            return source.driver !== undefined;
        case "nfs":
            return source.server !== undefined;
        default:
            return false;
    }
}

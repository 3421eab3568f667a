import type { Manifest } from "../api/object";

/** A CustomResourceDefinition reduced to what makes the API server serve its kind. */
export function definition(
    group: string,
    kind: string,
    plural: string,
    scope: "Namespaced" | "Cluster",
    ...versions: string[]
): Manifest {
    return {
        metadata: { name: `${plural}.${group}` },
        spec: {
            group,
            scope,
            names: { kind, plural, singular: kind.toLowerCase() },
            versions: versions.map((name) => ({ name, served: true, storage: name === versions[0] })),
        },
        status: { conditions: [{ type: "Established", status: "True" }] },
    };
}

/** What the snapshot controller's add-on (or chart) brings. Source: kubernetes-csi/external-snapshotter, client/config/crd. */
export function snapshotDefinitions(): Manifest[] {
    const group = "snapshot.storage.k8s.io";
    return [
        definition(group, "VolumeSnapshot", "volumesnapshots", "Namespaced", "v1"),
        definition(group, "VolumeSnapshotClass", "volumesnapshotclasses", "Cluster", "v1"),
        definition(group, "VolumeSnapshotContent", "volumesnapshotcontents", "Cluster", "v1"),
        definition(
            "groupsnapshot.storage.k8s.io",
            "VolumeGroupSnapshot",
            "volumegroupsnapshots",
            "Namespaced",
            "v1",
            "v1beta2",
        ),
        definition(
            "groupsnapshot.storage.k8s.io",
            "VolumeGroupSnapshotClass",
            "volumegroupsnapshotclasses",
            "Cluster",
            "v1",
            "v1beta2",
        ),
        definition(
            "groupsnapshot.storage.k8s.io",
            "VolumeGroupSnapshotContent",
            "volumegroupsnapshotcontents",
            "Cluster",
            "v1",
            "v1beta2",
        ),
    ];
}

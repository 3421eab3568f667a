import assert from "node:assert/strict";
import { readSettings } from "../../stacks/settings";

describe("the profile of the AWS provider", () => {
    const profile = "work";
    const workers = { instanceTypes: ["c5.large", "c5a.large", "c5d.large"], scaling: { min: 2, max: 3 } };
    const publicAccessCidrs = ["203.0.113.0/24"];
    const read = (values: Record<string, unknown>, given?: string) => {
        const { settings, problems } = readSettings({
            ...{ region: "eu-west-1", profile: given, secretKeys: [] },
            values: { workers, ...values },
        });
        assert.deepEqual(problems, []);
        return settings;
    };

    it("reaches the API of a new cluster too", () => {
        const { cluster, existingCluster } = read({ cluster: { publicAccessCidrs } }, profile);
        assert.deepEqual([cluster.kubeconfig, existingCluster], [{ profile }, {}]);
    });

    it("reaches that of an existing one, in whatever role", () => {
        const kubeconfig = { roleArn: "arn:aws:iam::123456789012:role/admin" };
        const { cluster, existingCluster } = read({ existingCluster: { clusterName: "c", kubeconfig } }, profile);
        assert.deepEqual([cluster, existingCluster.kubeconfig], [{}, { profile, ...kubeconfig }]);
    });

    it("gives way to the one that a kubeconfig names, and is none where there is none", () => {
        const kubeconfig = { profile: "other" };
        assert.deepEqual(read({ cluster: { publicAccessCidrs, kubeconfig } }, profile).cluster.kubeconfig, kubeconfig);
        assert.equal(read({ cluster: { publicAccessCidrs } }).cluster.kubeconfig, undefined);
    });
});

import { reachesInternet } from "../../aws/network";
import type { Cluster } from "../cluster";
import { annotationsOf, specOf, type Manifest } from "../api/object";
import { records } from "../api/value";

/** Registries that nodes reach through endpoints of their VPC: an account's ECR; add-ons of EKS come from EKS's own. */
const PRIVATE = /^(\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|eks)\//;

/**
 * Why a pod's images do not arrive on its node. Without a way to the internet only those of ECR do: there is no endpoint for public.ecr.aws, let
 * alone other registries. Source: EKS User Guide, "Deploy private clusters with limited internet access".
 */
export function imageProblem(cluster: Cluster, pod: Manifest, node: Manifest): string | undefined {
    const subnet = annotationsOf(node)["rehearsal/subnet-id"];
    if (subnet === undefined || reachesInternet(cluster.aws, subnet) !== false) {
        return undefined;
    }
    const { initContainers, containers } = specOf(pod);
    const image = [...records(initContainers), ...records(containers)]
        .map((container) => String(container.image))
        .find((one) => !PRIVATE.test(one));
    return (
        image &&
        `Back-off pulling image "${image}": dial tcp: i/o timeout: ${subnet} has no way to the internet, and its endpoints reach ECR only`
    );
}

import { isPublic } from "../judge/cidr";
import { at, items, truth, UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Rule } from "../rule";

/** Where each provider keeps the settings of the endpoint. */
const NETWORKS: Record<string, string> = {
    "aws:eks/cluster:Cluster": "vpcConfig",
    "aws-native:eks:Cluster": "resourcesVpcConfig",
};

export const rule: Rule = {
    name: "eks-endpoint-not-public",
    description: "The API endpoint of an EKS cluster is private, or public for listed networks only.",
    why: "The default is an endpoint that the whole internet may try: a leaked credential or a flaw of the API server is then enough.",
    fix: "Set `endpointPublicAccess: false` with `endpointPrivateAccess: true`, or list your networks in `publicAccessCidrs`.",
    level: "advisory",
    severity: "medium",
    resource(resource) {
        const judgement = new Judgement();
        const network = NETWORKS[resource.type];
        if (network === undefined) {
            return judgement;
        }
        judgement.judge(resource);
        const config = resource.props[network];
        const open = truth(at(config, "endpointPublicAccess"));
        const cidrs = at(config, "publicAccessCidrs");
        if (open === false) {
            return judgement;
        }
        const ranges = items(cidrs);
        const known = ranges.filter((range) => typeof range === "string");
        const world = isPublic(known) || ranges.length === 0;
        if (world && !isUnknown(open)) {
            const property = known.length > 0 ? "publicAccessCidrs" : "endpointPublicAccess";
            judgement.violation(
                resource,
                `${network}.${property}`,
                open === undefined && known.length === 0
                    ? "it is missing, and the default is an endpoint that the whole internet reaches"
                    : "the whole internet reaches the API endpoint",
            );
        } else if (isUnknown(open) ? world || ranges.some(isUnknown) : ranges.some(isUnknown)) {
            judgement.unknown(
                resource,
                `${network}.${isUnknown(open) ? "endpointPublicAccess" : "publicAccessCidrs"}`,
                UNTIL_UP,
            );
        }
        return judgement;
    },
};

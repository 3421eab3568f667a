import { isUnknown } from "../plain";
import { Judgement, type Rule } from "../rule";
import { isEbsProvisioner } from "../storage/backing";
import { readResource } from "../storage/read";

const wanted = "WaitForFirstConsumer";

export const rule: Rule = {
    name: "ebs-wait-for-first-consumer",
    description: "A StorageClass of EBS makes a volume only when the pod that uses it has been placed.",
    why: "An EBS volume lives in one zone. Made at once, it may land in a zone in which the pod cannot run, and the pod stays Pending for good.",
    fix: `Set \`volumeBindingMode: ${wanted}\` (it is immutable: make a new class if this one exists already).`,
    level: "mandatory",
    severity: "high",
    resource: (resource) => {
        const judgement = new Judgement();
        for (const one of readResource(resource).classes.filter(({ provisioner }) => isEbsProvisioner(provisioner))) {
            judgement.judge(resource);
            if (isUnknown(one.bindingMode)) {
                judgement.unknown(resource, one.bindingPath, "the class's binding mode is not known yet.");
            } else if (one.bindingMode === undefined && !one.partial) {
                judgement.violation(
                    resource,
                    one.bindingPath,
                    "The binding mode is missing, and missing means Immediate: volumes are made before anyone knows where the pod will run.",
                );
            } else if (one.bindingMode === undefined && one.templated) {
                judgement.unknown(
                    resource,
                    one.bindingPath,
                    "the chart's template decides the binding mode; say it here.",
                );
            } else if (one.bindingMode === "Immediate") {
                judgement.violation(
                    resource,
                    one.bindingPath,
                    "Volumes are made before anyone knows where the pod will run, in any zone.",
                );
            } else if (one.bindingMode !== undefined && one.bindingMode !== wanted) {
                judgement.violation(
                    resource,
                    one.bindingPath,
                    `This is no binding mode; the API server takes only Immediate and ${wanted}.`,
                );
            }
        }
        return judgement;
    },
    remediate: (resource) => {
        const own = readResource(resource).classes.filter(
            ({ path, partial, provisioner }) => path === "" && !partial && isEbsProvisioner(provisioner),
        );
        return own
            .filter(({ bindingMode }) => bindingMode !== wanted && !isUnknown(bindingMode))
            .map(() => ({ path: ["volumeBindingMode"], value: wanted }));
    },
};

import { isUnknown } from "../plain";
import { Judgement, type Rule } from "../rule";
import { isEbsProvisioner } from "../storage/backing";
import type { StorageClass } from "../storage/model";
import { readResource } from "../storage/read";
import { anyCase, isTree, shapeOf, under } from "../storage/values";

const unread = 'The EBS CSI driver encrypts only for exactly the text "true"';

export const rule: Rule = {
    name: "ebs-storage-class-encrypted",
    description: "A StorageClass of EBS encrypts its volumes.",
    why: "Without it, every volume of the class is readable to whoever gets hold of the disk or a snapshot, and encryption cannot be switched on later.",
    fix: 'Set `parameters.encrypted` to the text "true".',
    level: "mandatory",
    severity: "high",
    config: {
        requireCustomerKey: {
            type: "boolean",
            default: false,
            description: "Whether a class must also name a KMS key of one's own (`kmsKeyId`).",
        },
    },
    resource: (resource, config) => {
        const judgement = new Judgement();
        const { malformed, classes } = readResource(resource);
        for (const { path, why } of malformed.filter(({ about }) => about === "class")) {
            judgement.violation(resource, path, `${why} It cannot be judged.`, "Correct it.");
        }
        for (const one of classes) {
            if (isUnknown(one.provisioner)) {
                judgement.unknown(
                    resource,
                    under(one.path, "provisioner"),
                    "whether this is a class of EBS is not known yet.",
                );
            }
        }
        for (const one of classes.filter(({ provisioner }) => isEbsProvisioner(provisioner))) {
            judge(one, config.requireCustomerKey === true, judgement);
        }
        return judgement;
    },
    remediate: (resource) => {
        const own = readResource(resource).classes.filter(
            ({ path, partial, provisioner }) => path === "" && !partial && isEbsProvisioner(provisioner),
        );
        const mendable = own.filter(({ parameters }) => parameters === undefined || isTree(parameters));
        return mendable.flatMap(({ parameters }) => {
            const said = anyCase(parameters, "encrypted");
            const keys =
                said.length > 0 ? said.filter(({ value }) => value !== "true").map(({ key }) => key) : ["encrypted"];
            return keys.map((key) => ({ path: ["parameters", key], value: "true" }));
        });
    },
};

function judge(
    { resource, parameters, parametersPath, partial, templated }: StorageClass,
    customerKey: boolean,
    judgement: Judgement,
): void {
    judgement.judge(resource);
    if (isUnknown(parameters)) {
        judgement.unknown(resource, parametersPath, "the class's parameters are not known yet.");
        return;
    }
    if (parameters !== undefined && !isTree(parameters)) {
        judgement.violation(
            resource,
            parametersPath,
            `The parameters of a class are an object of texts, and this is ${shapeOf(parameters)}: nothing in it encrypts.`,
        );
        return;
    }
    const keys = anyCase(parameters, "kmsKeyId");
    const said = anyCase(parameters, "encrypted");
    const keyed = keys.some(({ value }) => typeof value === "string" && value !== "");
    const keyUnknown = keys.some(({ value }) => isUnknown(value));
    const plain = said.find(({ value }) => !isUnknown(value) && value !== "true");
    if (said.length === 0 && partial) {
        if (templated && !keyed) {
            judgement.unknown(
                resource,
                under(parametersPath, "encrypted"),
                "the chart's template decides whether the class encrypts; say it here.",
            );
        }
        return;
    }
    if (plain && !keyed && !keyUnknown) {
        judgement.violation(resource, under(parametersPath, plain.key), plainMessage(plain.value));
    } else if (said.some(({ value }) => isUnknown(value)) && !keyed) {
        judgement.unknown(resource, under(parametersPath, said[0].key), "whether the class encrypts is not known yet.");
    } else if (said.length === 0 && keyUnknown && !keyed) {
        judgement.unknown(
            resource,
            under(parametersPath, keys[0].key),
            "the class does not say that it encrypts, and its key is not known yet.",
        );
    } else if (said.length === 0 && !keyed) {
        judgement.violation(
            resource,
            under(parametersPath, "encrypted"),
            "The class does not say that it encrypts, so its volumes are plain.",
        );
    } else if (said.length === 0 || plain) {
        const what = `The class encrypts only because it names a key${plain ? ", against what it says" : ""}.`;
        judgement.advise(
            resource,
            under(parametersPath, plain?.key ?? "encrypted"),
            what,
            'Say it: `encrypted: "true"`.',
        );
    }
    if (customerKey && !keyed && !keyUnknown && !partial) {
        const fix = "Name a KMS key of your own in `parameters.kmsKeyId`.";
        judgement.violation(
            resource,
            under(parametersPath, "kmsKeyId"),
            "The class has no key of one's own, which the configuration of this rule requires.",
            fix,
        );
    }
}

function plainMessage(value: unknown): string {
    if (typeof value !== "string") {
        return `Parameters are texts, and this is ${shapeOf(value)}: the API server refuses the class. ${unread}.`;
    }
    return value.toLowerCase() === "false"
        ? "The class switches encryption off, so its volumes are plain."
        : `${unread}, so the volumes of this class are plain, without any error.`;
}

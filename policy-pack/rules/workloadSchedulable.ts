import { isUnknown } from "../plain";
import { Judgement, type Rule } from "../rule";
import { storageOf } from "../storage";
import type { ChartUse, Workload } from "../storage/model";
import { nodesOf, type NodeGroup, type Taint } from "../storage/nodes";
import { elements, get, isTree, scalar, under } from "../storage/values";

/** Yes, no, or not to be told from the program. */
type Answer = boolean | undefined;

export const rule: Rule = {
    name: "workload-schedulable",
    description: "Every workload has a node group that can run it: labels, taints, and architecture fit.",
    why: "A pod that no node group fits stays Pending for good, and no autoscaler helps.",
    fix: "Give a node group the labels that the pod selects, or the pod the tolerations that the node groups' taints need.",
    level: "advisory",
    severity: "medium",
    stack: (stack) => {
        const judgement = new Judgement();
        const { groups, elsewhere } = nodesOf(stack);
        if (groups.length === 0 || elsewhere !== undefined) {
            return judgement;
        }
        const { workloads, charts } = storageOf(stack).carried;
        for (const workload of workloads.filter(({ everywhere }) => !everywhere)) {
            judgeWorkload(workload, groups, judgement);
        }
        charts.forEach((chart) => judgeChart(chart, groups, judgement));
        return judgement;
    },
};

function judgeWorkload({ resource, podSpec, podPath }: Workload, groups: NodeGroup[], judgement: Judgement): void {
    judgement.judge(resource);
    if (get(podSpec, "nodeName") !== undefined) {
        return;
    }
    const labelled = groups.filter((group) => selects(podSpec, group) !== false);
    const tolerated = labelled.filter((group) => tolerates(get(podSpec, "tolerations"), group) !== false);
    if (labelled.length === 0) {
        const key = get(podSpec, "nodeSelector") === undefined ? "affinity" : "nodeSelector";
        judgement.violation(
            resource,
            under(podPath, key),
            "No node group has the labels (or the architecture) that the pod asks for.",
        );
    } else if (tolerated.length === 0) {
        const names = labelled.map((group) => group.resource.name).join(", ");
        judgement.violation(
            resource,
            under(podPath, "tolerations"),
            `The node groups that the pod selects (${names}) have taints that it does not tolerate.`,
        );
    } else if (
        tolerated.every((group) => !(selects(podSpec, group) && tolerates(get(podSpec, "tolerations"), group)))
    ) {
        judgement.unknown(resource, podPath, "whether a node group fits the pod is not known (yet).");
    }
}

/** Selectors in a chart's values; tolerations may be elsewhere in them, so only labels are judged. */
function judgeChart({ resource, values, path }: ChartUse, groups: NodeGroup[], judgement: Judgement): void {
    const visit = (value: unknown, at: string, depth: number): void => {
        if (
            typeof value !== "object" ||
            value === null ||
            depth > 100 ||
            (isTree(value) && (value.enabled === false || typeof value.apiVersion === "string"))
        ) {
            return;
        }
        const selector = get(value, "nodeSelector");
        if (isTree(selector) && Object.keys(selector).length > 0) {
            judgement.judge(resource);
            if (groups.every((group) => selects({ nodeSelector: selector }, group) === false)) {
                judgement.violation(
                    resource,
                    under(at, "nodeSelector"),
                    "No node group has the labels (or the architecture) that the pod asks for.",
                );
            }
        }
        for (const [key, inner] of Object.entries(value)) {
            visit(inner, under(at, Array.isArray(value) ? Number(key) : key), depth + 1);
        }
    };
    visit(values, path, 0);
}

function selects(podSpec: unknown, group: NodeGroup): Answer {
    const selector = get(podSpec, "nodeSelector");
    const terms = get(
        podSpec,
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    );
    const bySelector = isUnknown(selector)
        ? undefined
        : every(
              Object.entries(isTree(selector) ? selector : {}).map(([key, value]) =>
                  requires(group, key, "In", [value]),
              ),
          );
    const byTerms = isUnknown(terms)
        ? undefined
        : terms === undefined
          ? true
          : some(elements(terms).map(([term]) => fits(term, group)));
    return every([bySelector, byTerms]);
}

function fits(term: unknown, group: NodeGroup): Answer {
    const expressions = elements(get(term, "matchExpressions")).map(([expression]) => {
        const values = get(expression, "values");
        return isUnknown(values)
            ? undefined
            : requires(
                  group,
                  get(expression, "key"),
                  get(expression, "operator"),
                  elements(values).map(([value]) => value),
              );
    });
    const fields = elements(get(term, "matchFields"));
    // An empty term fits no node.
    return expressions.length + fields.length === 0 && !isUnknown(term)
        ? false
        : every([...expressions, fields.length > 0 ? undefined : true]);
}

function requires(group: NodeGroup, key: unknown, operator: unknown, values: unknown[]): Answer {
    if (typeof key !== "string" || typeof operator !== "string" || values.some(isUnknown)) {
        return undefined;
    }
    const label = labelOf(group, key);
    const wanted = values.map(scalar);
    if (label === "unknown") {
        return undefined;
    }
    switch (operator) {
        case "In":
            return label !== undefined && wanted.some((value) => value !== undefined && label.has(value));
        case "NotIn":
            return label === undefined || [...label].some((value) => !wanted.includes(value));
        case "Exists":
            return label !== undefined;
        case "DoesNotExist":
            return label === undefined;
        default:
            return undefined;
    }
}

/** The values that a label can have on nodes of the group; undefined when they do not have it. */
function labelOf(group: NodeGroup, key: string): Set<string> | undefined | "unknown" {
    const orUnknown = (values: Iterable<string> | undefined) => (values === undefined ? "unknown" : new Set(values));
    switch (key) {
        case "kubernetes.io/arch":
        case "beta.kubernetes.io/arch":
            return orUnknown(group.architectures);
        case "kubernetes.io/os":
        case "beta.kubernetes.io/os":
            return new Set([group.windows ? "windows" : "linux"]);
        case "topology.kubernetes.io/zone":
        case "failure-domain.beta.kubernetes.io/zone":
        case "topology.ebs.csi.aws.com/zone":
            return orUnknown(group.zones);
        case "node.kubernetes.io/instance-type":
        case "beta.kubernetes.io/instance-type":
            return orUnknown(group.instanceTypes);
        case "eks.amazonaws.com/capacityType":
            return orUnknown(group.capacityType && [group.capacityType]);
        case "eks.amazonaws.com/nodegroup":
            return orUnknown(group.name && [group.name]);
    }
    if (isUnknown(group.labels)) {
        return "unknown";
    }
    if (Object.hasOwn(group.labels, key)) {
        const value = group.labels[key];
        return isUnknown(value) ? "unknown" : new Set([scalar(value) ?? ""]);
    }
    // Labels that something in the cluster sets; a program cannot show them.
    const setElsewhere =
        /(^|\.)(kubernetes\.io|k8s\.io|amazonaws\.com|k8s\.aws|karpenter\.sh|nvidia\.com|x-k8s\.io)\//.test(key);
    return setElsewhere || group.moreLabels ? "unknown" : undefined;
}

function tolerates(tolerations: unknown, { taints }: NodeGroup): Answer {
    if (isUnknown(taints) || isUnknown(tolerations)) {
        return undefined;
    }
    const barring = taints.filter(
        ({ key, effect }) =>
            isUnknown(effect) || (/^no_?(schedule|execute)$/i.test(scalar(effect) ?? "") && !isTemporary(key)),
    );
    return every(barring.map((taint) => some(elements(tolerations).map(([toleration]) => covers(toleration, taint)))));
}

/** Taints that drivers take away by themselves once they run on the node. */
function isTemporary(key: unknown): boolean {
    return typeof key === "string" && /(agent-not-ready|uninitialized|startup-taint)$/.test(key);
}

function covers(toleration: unknown, taint: Taint): Answer {
    const parts = ["key", "operator", "value", "effect"].map((name) => get(toleration, name));
    if (isUnknown(toleration) || parts.some(isUnknown) || [taint.key, taint.value, taint.effect].some(isUnknown)) {
        return undefined;
    }
    const [key, operator = "Equal", value = "", effect] = parts;
    const plain = (text: unknown) => (scalar(text) ?? "").replace(/_/g, "").toLowerCase();
    if (effect !== undefined && effect !== "" && plain(effect) !== plain(taint.effect)) {
        return false;
    }
    if (operator === "Exists") {
        return key === undefined || key === "" || key === taint.key;
    }
    return operator === "Equal" ? key === taint.key && scalar(value) === scalar(taint.value ?? "") : undefined;
}

function every(answers: Answer[]): Answer {
    return answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
}

function some(answers: Answer[]): Answer {
    return answers.includes(true) ? true : answers.includes(undefined) ? undefined : false;
}

import { labelsOf, nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { amount } from "../api/quantity";
import { expressionMatches, labelsMatch, selectorMatches } from "../api/selector";
import { at, list, numberOr, record, records, strings, text } from "../api/value";

/** Where a pod goes, or why it cannot go anywhere, worded as the scheduler words it. */
export type Placement = { node: Manifest } | { message: string };

export interface Situation {
    nodes: Manifest[];
    /** Pods that already have a node. */
    placed: Manifest[];
    /** Why the pod's volumes do not fit a node, if so. */
    volumes?: (node: Manifest) => string | undefined;
}

/**
 * The filters of the scheduler that decide where pods of this project can run: node selectors and required affinity,
 * taints, resources, pod affinity and anti-affinity, hard topology spread, volumes. Then the emptiest node wins.
 * Source: kubernetes.io, "Scheduling Framework" and "Assigning Pods to Nodes"; messages as `kubectl describe pod` shows them.
 */
export function schedule(pod: Manifest, situation: Situation): Placement {
    const reasons = new Map<string, number>();
    const fitting: { node: Manifest; score: number }[] = [];
    for (const node of situation.nodes) {
        const reason = refusal(pod, node, situation);
        if (reason === undefined) {
            fitting.push({ node, score: score(pod, node, situation) });
        } else {
            reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
    }
    if (fitting.length > 0) {
        fitting.sort((a, b) => b.score - a.score || (nameOf(a.node) < nameOf(b.node) ? -1 : 1));
        return { node: fitting[0].node };
    }
    const total = situation.nodes.length;
    if (total === 0) {
        return { message: "no nodes available to schedule pods" };
    }
    const parts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
    return { message: `0/${total} nodes are available: ${parts.join(", ")}.` };
}

function refusal(pod: Manifest, node: Manifest, situation: Situation): string | undefined {
    const spec = specOf(pod);
    if (spec.nodeName !== undefined && spec.nodeName !== nameOf(node)) {
        return "node(s) didn't match the requested node name";
    }
    if (
        at(node, "spec", "unschedulable") === true &&
        !tolerates(pod, { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" })
    ) {
        return "node(s) were unschedulable";
    }
    if (!isReady(node)) {
        return "node(s) had untolerated taint(s) {node.kubernetes.io/not-ready: }";
    }
    const taint = records(at(node, "spec", "taints")).find(
        (one) => one.effect !== "PreferNoSchedule" && !tolerates(pod, one),
    );
    if (taint) {
        return `node(s) had untolerated taint(s) {${String(taint.key)}: ${text(taint.value) ?? ""}}`;
    }
    if (!matchesNode(pod, node)) {
        return "node(s) didn't match Pod's node affinity/selector";
    }
    const volumes = situation.volumes?.(node);
    if (volumes !== undefined) {
        return volumes;
    }
    return (
        lacks(pod, node, situation.placed) ??
        affinityRefusal(pod, node, situation) ??
        spreadRefusal(pod, node, situation)
    );
}

export function isReady(node: Manifest): boolean {
    return !records(at(node, "status", "conditions")).some(({ type, status }) => type === "Ready" && status !== "True");
}

export function tolerates(pod: Manifest, taint: Record<string, unknown>): boolean {
    return records(specOf(pod).tolerations).some((toleration) => {
        if (text(toleration.effect) && toleration.effect !== taint.effect) {
            return false;
        }
        if (toleration.operator === "Exists") {
            return !text(toleration.key) || toleration.key === taint.key;
        }
        return toleration.key === taint.key && (text(toleration.value) ?? "") === (text(taint.value) ?? "");
    });
}

/** Node selector and required node affinity. The terms are alternatives, their expressions all must hold. */
export function matchesNode(pod: Manifest, node: Manifest): boolean {
    const labels = labelsOf(node);
    if (!Object.entries(strings(specOf(pod).nodeSelector)).every(([key, value]) => labels[key] === value)) {
        return false;
    }
    const required = at(specOf(pod).affinity, "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution");
    return required === undefined || matchesTerms(required, node);
}

/** A node selector with terms, as affinity and persistent volumes have it. */
export function matchesTerms(selector: unknown, node: Manifest): boolean {
    const labels = labelsOf(node);
    const fields = { "metadata.name": nameOf(node) };
    return records(record(selector).nodeSelectorTerms).some(
        (term) =>
            records(term.matchExpressions).every((expression) => expressionMatches(expression, labels)) &&
            records(term.matchFields).every((expression) => expressionMatches(expression, fields)),
    );
}

/** What a pod asks for: the sum of its containers, or the largest init container, whichever is more. */
export function requests(pod: Manifest): { cpu: number; memory: number; storage: number } {
    const spec = specOf(pod);
    const of = (name: string): number => {
        const ask = (container: Manifest): number =>
            amount(at(container, "resources", "requests", name) ?? at(container, "resources", "limits", name));
        const sidecars = records(spec.initContainers).filter(({ restartPolicy }) => restartPolicy === "Always");
        const first = records(spec.initContainers).filter(({ restartPolicy }) => restartPolicy !== "Always");
        const sum = [...records(spec.containers), ...sidecars].reduce((total, container) => total + ask(container), 0);
        return Math.max(sum, ...first.map(ask)) + amount(at(spec, "overhead", name));
    };
    return { cpu: of("cpu"), memory: of("memory"), storage: of("ephemeral-storage") };
}

function lacks(pod: Manifest, node: Manifest, placed: Manifest[]): string | undefined {
    const here = placed.filter((other) => specOf(other).nodeName === nameOf(node));
    const allocatable = record(at(node, "status", "allocatable"));
    if (here.length + 1 > numberOr(Number(allocatable.pods), 110)) {
        return "Too many pods";
    }
    const wanted = requests(pod);
    const used = here.map(requests);
    const over = (of: "cpu" | "memory" | "storage", resource: string): boolean =>
        wanted[of] > 0 &&
        allocatable[resource] !== undefined &&
        used.reduce((total, one) => total + one[of], 0) + wanted[of] > amount(allocatable[resource]) + 1e-9;
    if (over("cpu", "cpu")) {
        return "Insufficient cpu";
    }
    if (over("memory", "memory")) {
        return "Insufficient memory";
    }
    return over("storage", "ephemeral-storage") ? "Insufficient ephemeral-storage" : undefined;
}

function domain(node: Manifest | undefined, key: string): string | undefined {
    return node && labelsOf(node)[key];
}

function affinityRefusal(pod: Manifest, node: Manifest, { nodes, placed }: Situation): string | undefined {
    const nodeOf = (other: Manifest): Manifest | undefined =>
        nodes.find((one) => nameOf(one) === specOf(other).nodeName);
    const near = (term: Record<string, unknown>): boolean => {
        const namespaces = list(term.namespaces).map(String);
        return placed.some(
            (other) =>
                (namespaces.length > 0
                    ? namespaces.includes(namespaceOf(other))
                    : namespaceOf(other) === namespaceOf(pod)) &&
                selectorMatches(term.labelSelector, labelsOf(other)) &&
                domain(nodeOf(other), String(term.topologyKey)) !== undefined &&
                domain(nodeOf(other), String(term.topologyKey)) === domain(node, String(term.topologyKey)),
        );
    };
    const affinity = specOf(pod).affinity;
    for (const term of records(at(affinity, "podAffinity", "requiredDuringSchedulingIgnoredDuringExecution"))) {
        // The first pod of a group that wants its own company may start anywhere.
        const first =
            selectorMatches(term.labelSelector, labelsOf(pod)) &&
            !placed.some((other) => selectorMatches(term.labelSelector, labelsOf(other)));
        if (!near(term) && !first) {
            return "node(s) didn't match pod affinity rules";
        }
    }
    const anti = records(at(affinity, "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"));
    return anti.some(near) ? "node(s) didn't match pod anti-affinity rules" : undefined;
}

function spreadRefusal(pod: Manifest, node: Manifest, { nodes, placed }: Situation): string | undefined {
    for (const constraint of records(specOf(pod).topologySpreadConstraints)) {
        if (constraint.whenUnsatisfiable !== "DoNotSchedule") {
            continue;
        }
        const key = String(constraint.topologyKey);
        const here = domain(node, key);
        if (here === undefined) {
            return "node(s) didn't match pod topology spread constraints (missing required label)";
        }
        const eligible = nodes.filter((one) => matchesNode(pod, one) && domain(one, key) !== undefined);
        const counts = new Map(eligible.map((one) => [domain(one, key), 0]));
        for (const other of placed) {
            const zone = domain(
                nodes.find((one) => nameOf(one) === specOf(other).nodeName),
                key,
            );
            if (
                namespaceOf(other) === namespaceOf(pod) &&
                selectorMatches(constraint.labelSelector, labelsOf(other)) &&
                counts.has(zone)
            ) {
                counts.set(zone, (counts.get(zone) ?? 0) + 1);
            }
        }
        const least = Math.min(...counts.values());
        if ((counts.get(here) ?? 0) + 1 - least > numberOr(constraint.maxSkew, 1)) {
            return "node(s) didn't match pod topology spread constraints";
        }
    }
    return undefined;
}

function score(pod: Manifest, node: Manifest, { nodes, placed }: Situation): number {
    const here = placed.filter((other) => specOf(other).nodeName === nameOf(node));
    const allocatable = amount(at(node, "status", "allocatable", "cpu")) || 1;
    const used = here.reduce((total, other) => total + requests(other).cpu, 0) + requests(pod).cpu;
    let points = 100 * (1 - used / allocatable) - here.length;
    for (const preference of records(
        at(specOf(pod).affinity, "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"),
    )) {
        if (matchesTerms({ nodeSelectorTerms: [preference.preference] }, node)) {
            points += 10 * numberOr(preference.weight, 1);
        }
    }
    const zone = domain(node, "topology.kubernetes.io/zone");
    const alike = placed.filter(
        (other) =>
            namespaceOf(other) === namespaceOf(pod) &&
            Object.keys(labelsOf(pod)).length > 0 &&
            labelsMatch(labelsOf(pod), labelsOf(other)),
    );
    points -= 20 * alike.filter((other) => specOf(other).nodeName === nameOf(node)).length;
    points -=
        20 *
        alike.filter(
            (other) =>
                domain(
                    nodes.find((one) => nameOf(one) === specOf(other).nodeName),
                    "topology.kubernetes.io/zone",
                ) === zone,
        ).length;
    return records(at(node, "spec", "taints")).some(
        (taint) => taint.effect === "PreferNoSchedule" && !tolerates(pod, taint),
    )
        ? points - 50
        : points;
}

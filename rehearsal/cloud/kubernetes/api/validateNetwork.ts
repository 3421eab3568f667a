import {
    checkLabels,
    checkPort,
    checkSelector,
    checkServiceName,
    invalid,
    isCidr,
    isEmpty,
    isUnknown,
    hasSymbol,
    oneOf,
    protocols,
    type Report,
} from "./findings";
import { dnsLabel, dnsSubdomain } from "./names";
import type { Manifest } from "./object";
import { at, list, record, records, text } from "./value";

const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** Services. Source: kubernetes/kubernetes, pkg/apis/core/validation (`ValidateService`). */
export function checkService(manifest: Manifest, report: Report): void {
    const spec = record(manifest.spec);
    if (isUnknown(manifest.spec) || isUnknown(spec.ports)) {
        return;
    }
    oneOf(spec.type, ["", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], "spec.type", report);
    oneOf(spec.sessionAffinity, ["", "ClientIP", "None"], "spec.sessionAffinity", report);
    oneOf(spec.externalTrafficPolicy, ["", "Cluster", "Local"], "spec.externalTrafficPolicy", report);
    oneOf(spec.internalTrafficPolicy, ["Cluster", "Local"], "spec.internalTrafficPolicy", report);
    checkServicePorts(spec, report);
    if (spec.type === "ExternalName") {
        if (isEmpty(spec.externalName)) {
            report("spec.externalName", "Required value");
        } else if (typeof spec.externalName === "string") {
            const name = spec.externalName.replace(/\.$/, "");
            invalid(spec.externalName, dnsSubdomain(name), "spec.externalName", report);
        }
        if (!isEmpty(spec.clusterIP)) {
            report("spec.clusterIP", "Forbidden: may not be set when `type` is 'ExternalName'");
        }
    }
    if (spec.type === "LoadBalancer" && spec.clusterIP === "None") {
        report("spec.clusterIPs[0]", "Invalid value: \"None\": may not be set to 'None' for LoadBalancer services");
    }
    checkBalancer(spec, at(manifest, "metadata", "annotations", rangesAnnotation), report);
    checkLabels(spec.selector, "spec.selector", report);
}

function checkServicePorts(spec: Record<string, unknown>, report: Report): void {
    const ports = records(spec.ports);
    if (ports.length === 0 && spec.type !== "ExternalName" && spec.clusterIP !== "None") {
        report("spec.ports", "Required value");
    }
    const names = new Set<string>();
    const taken = new Set<string>();
    ports.forEach((port, index) => {
        const path = `spec.ports[${index}]`;
        checkPort(port.port, `${path}.port`, report);
        // A target or node port of 0 is none: the former is the port then, the latter any.
        checkPort(port.targetPort, `${path}.targetPort`, report, 0);
        checkPort(port.nodePort, `${path}.nodePort`, report, 0);
        oneOf(port.protocol, protocols, `${path}.protocol`, report);
        const name = text(port.name) ?? "";
        if (ports.length > 1 && isEmpty(port.name)) {
            report(`${path}.name`, "Required value");
        } else if (name !== "") {
            invalid(name, dnsLabel(name), `${path}.name`, report);
            if (names.has(name)) {
                report(`${path}.name`, `Duplicate value: "${name}"`);
            }
        }
        names.add(name);
        const key = `${String(port.protocol ?? "TCP")}/${String(port.port)}`;
        if (!isUnknown(port.port) && !isUnknown(port.protocol) && taken.has(key)) {
            report(path, `Duplicate value: port ${key}`);
        }
        taken.add(key);
    });
}

function checkBalancer(spec: Record<string, unknown>, annotation: unknown, report: Report): void {
    const isBalancer = spec.type === "LoadBalancer" || isUnknown(spec.type);
    if (list(spec.loadBalancerSourceRanges).length > 0 && !isBalancer) {
        report("spec.loadBalancerSourceRanges", "Forbidden: may only be used when `type` is 'LoadBalancer'");
    }
    list(spec.loadBalancerSourceRanges).forEach((range, index) => {
        if (typeof range === "string" && !isCidr(range.trim())) {
            report(`spec.loadBalancerSourceRanges[${index}]`, `Invalid value: "${range}": must be a valid CIDR value`);
        }
    });
    if (
        typeof annotation === "string" &&
        annotation.trim() !== "" &&
        list(spec.loadBalancerSourceRanges).length === 0
    ) {
        const path = `metadata.annotations["${rangesAnnotation}"]`;
        if (!isBalancer) {
            report(path, "Forbidden: may only be used when `type` is 'LoadBalancer'");
        } else if (!annotation.split(",").every((range) => isCidr(range.trim()))) {
            report(path, `Invalid value: "${annotation}": must be a valid CIDR value, separated by commas`);
        }
    }
    if (spec.loadBalancerClass !== undefined && !isBalancer) {
        report("spec.loadBalancerClass", "Forbidden: may only be used when `type` is 'LoadBalancer'");
    }
    if (spec.externalTrafficPolicy === "Local" && (isEmpty(spec.type) || spec.type === "ClusterIP")) {
        report(
            "spec.externalTrafficPolicy",
            'Invalid value: "Local": may only be set for externally-accessible services',
        );
    }
}

/** Ingresses. Source: pkg/apis/networking/validation (`ValidateIngressSpec`). */
export function checkIngress(manifest: Manifest, report: Report): void {
    if (isUnknown(manifest.spec)) {
        return;
    }
    const spec = record(manifest.spec);
    if (!hasSymbol(spec.rules) && list(spec.rules).length === 0 && spec.defaultBackend === undefined) {
        report("spec", "Invalid value: either `defaultBackend` or `rules` must be specified");
    }
    if (spec.defaultBackend !== undefined) {
        checkBackend(spec.defaultBackend, "spec.defaultBackend", report);
    }
    if (typeof spec.ingressClassName === "string") {
        invalid(spec.ingressClassName, dnsSubdomain(spec.ingressClassName), "spec.ingressClassName", report);
    }
    records(spec.rules).forEach((rule, index) => {
        const host = text(rule.host);
        if (host !== undefined && host !== "" && dnsSubdomain(host.replace(/^\*\./, ""))) {
            report(`spec.rules[${index}].host`, dnsSubdomain(host.replace(/^\*\./, "")) ?? "");
        }
        if (record(rule.http).paths !== undefined && isEmpty(record(rule.http).paths)) {
            report(`spec.rules[${index}].http.paths`, "Required value");
        }
        records(at(rule, "http", "paths")).forEach((path, position) => {
            const where = `spec.rules[${index}].http.paths[${position}]`;
            oneOf(path.pathType, ["Exact", "Prefix", "ImplementationSpecific"], `${where}.pathType`, report);
            if (
                ["Exact", "Prefix"].includes(String(path.pathType)) &&
                !String(path.path ?? "").startsWith("/") &&
                !isUnknown(path.path)
            ) {
                report(`${where}.path`, `Invalid value: "${String(path.path ?? "")}": must be an absolute path`);
            }
            checkBackend(path.backend, `${where}.backend`, report);
        });
    });
}

function checkBackend(backend: unknown, path: string, report: Report): void {
    const { service, resource } = record(backend);
    if (isUnknown(backend) || isUnknown(service) || isUnknown(resource)) {
        return;
    }
    if (isEmpty(service) && isEmpty(resource)) {
        report(path, 'Invalid value: "": resource or service backend is required');
        return;
    }
    if (!isEmpty(service) && !isEmpty(resource)) {
        report(path, "Invalid value: cannot set both resource and service backends");
    }
    if (isEmpty(service)) {
        return;
    }
    const { name, port } = record(service);
    if (isEmpty(name)) {
        report(`${path}.service.name`, "Required value");
    } else {
        checkServiceName(name, `${path}.service.name`, report);
    }
    if (!isUnknown(port) && isEmpty(record(port).name) && (record(port).number ?? 0) === 0) {
        report(path, "Required value: port name or number is required");
    } else if (!isEmpty(record(port).name) && typeof record(port).number === "number" && record(port).number !== 0) {
        report(path, "Invalid value: cannot set both port name & port number");
    }
    checkPort(record(port).number, `${path}.service.port.number`, report, 0);
}

/** What an ingress class says of its controller. */
export function checkIngressClass(manifest: Manifest, report: Report): void {
    const controller = at(manifest, "spec", "controller");
    if (!isUnknown(manifest.spec) && isEmpty(controller)) {
        report("spec.controller", "Required value");
    }
    if (typeof controller === "string" && controller.length > 250) {
        report("spec.controller", "Too long: may not be more than 250 bytes");
    } else if (typeof controller === "string" && controller !== "" && !controller.includes("/")) {
        report(
            "spec.controller",
            `Invalid value: "${controller}": must be a domain-prefixed path (such as "acme.io/foo")`,
        );
    } else if (typeof controller === "string" && controller !== "") {
        invalid(controller, dnsSubdomain(controller.slice(0, controller.indexOf("/"))), "spec.controller", report);
    }
    const group = at(manifest, "spec", "parameters", "apiGroup");
    if (typeof group === "string" && group !== "") {
        invalid(group, dnsSubdomain(group), "spec.parameters.apiGroup", report);
    }
    oneOf(at(manifest, "spec", "parameters", "scope"), ["Cluster", "Namespace"], "spec.parameters.scope", report);
}

/** NetworkPolicies. Source: pkg/apis/networking/validation (`ValidateNetworkPolicySpec`). */
export function checkNetworkPolicy(manifest: Manifest, report: Report): void {
    const spec = record(manifest.spec);
    checkSelector(spec.podSelector, "spec.podSelector", report);
    list(spec.policyTypes).forEach((type, index) => {
        oneOf(type, ["Ingress", "Egress"], `spec.policyTypes[${index}]`, report);
    });
    if (list(spec.policyTypes).length > 2) {
        report("spec.policyTypes", "Invalid value: may not specify more than two policyTypes");
    }
    for (const [direction, peers] of [
        ["ingress", "from"],
        ["egress", "to"],
    ]) {
        records(spec[direction]).forEach((rule, index) => {
            records(rule.ports).forEach((port, position) => {
                checkPolicyPort(port, `spec.${direction}[${index}].ports[${position}]`, report);
            });
            list(rule[peers]).forEach((peer, position) => {
                checkPeer(peer, `spec.${direction}[${index}].${peers}[${position}]`, report);
            });
        });
    }
}

function checkPolicyPort({ protocol, port, endPort }: Record<string, unknown>, path: string, report: Report): void {
    oneOf(protocol, ["TCP", "UDP", "SCTP"], `${path}.protocol`, report);
    checkPort(port, `${path}.port`, report);
    checkPort(endPort, `${path}.endPort`, report);
    if (endPort !== undefined && !isUnknown(port) && typeof port !== "number") {
        report(
            `${path}.endPort`,
            `Invalid value: may not be specified when \`port\` is ${port === undefined ? "not specified" : "non-numeric"}`,
        );
    } else if (typeof endPort === "number" && typeof port === "number" && endPort < port) {
        report(`${path}.endPort`, `Invalid value: ${port}: must be greater than or equal to \`port\``);
    }
}

function checkPeer(peer: unknown, path: string, report: Report): void {
    if (isUnknown(peer)) {
        return;
    }
    const { podSelector, namespaceSelector, ipBlock } = record(peer);
    checkSelector(podSelector, `${path}.podSelector`, report);
    checkSelector(namespaceSelector, `${path}.namespaceSelector`, report);
    const selects = podSelector !== undefined || namespaceSelector !== undefined;
    if (!selects && ipBlock === undefined) {
        report(path, "Required value: must specify a peer");
    } else if (selects && ipBlock !== undefined) {
        report(path, "Forbidden: may not specify both ipBlock and another peer");
    }
    const { cidr, except } = record(ipBlock);
    [cidr, ...list(except)].forEach((range, index) => {
        if (typeof range === "string" && !isCidr(range)) {
            report(
                index === 0 ? `${path}.ipBlock.cidr` : `${path}.ipBlock.except[${index - 1}]`,
                `Invalid value: "${range}": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
            );
        }
    });
}

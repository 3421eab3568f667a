import type * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, under } from "../shared/check";
import { sourceRangeProblems } from "../shared/sourceRanges";
import type { HelmValues } from "../shared/helmValues";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";

/** How people reach the UI. */
export const UiExposure = {
    /** Through `kubectl port-forward` only. */
    None: "none",
    /** A network load balancer of the Service, as in the article. */
    NetworkLoadBalancer: "network-load-balancer",
    /** An application load balancer of an Ingress: it redirects HTTP and can be shared. */
    ApplicationLoadBalancer: "application-load-balancer",
} as const;
export type UiExposure = (typeof UiExposure)[keyof typeof UiExposure];

/** How people reach the UI. Load balancers are made by the AWS Load Balancer Controller, which must be in the cluster. */
export interface UiSettings {
    /** By what. @default none */
    exposure?: UiExposure;
    /** The ARN of an ACM certificate for the host name; the load balancer then takes HTTPS only. Required for the internet. @default none */
    certificateArn?: pulumi.Input<string>;
    /** The name under which people open it; ExternalDNS makes a record of it where it runs. Required with a certificate. @default none */
    hostName?: string;
    /** Whether the load balancer has public addresses. @default false, reachable from the network only */
    internetFacing?: boolean;
    /** CIDR ranges that may reach the load balancer. Required for the internet. @default the network, by its routes */
    sourceRanges?: string[];
    /** Further annotations of Service or Ingress, for example a group of load balancers. @default none */
    annotations?: Record<string, string>;
}

/** The shape of {@link UiSettings}. */
export const uiShape = keysOf<UiSettings>({
    exposure: choices(UiExposure),
    certificateArn: "string",
    hostName: "string",
    internetFacing: "boolean",
    sourceRanges: listOf("string"),
    annotations: mapOf("string"),
});

/** What is wrong with how the UI is reached. */
export function checkUi(ui: UiSettings = {}): Problem[] {
    const exposure = ui.exposure ?? UiExposure.None;
    const problems: Problem[] = [];
    const refuse = (path: string, message: string) => problems.push({ path, message });
    if (exposure === UiExposure.None) {
        for (const key of ["certificateArn", "hostName", "internetFacing", "sourceRanges", "annotations"] as const) {
            if (ui[key]) {
                refuse(key, "has no effect without a load balancer; set exposure, or leave it out");
            }
        }
        return problems;
    }
    const arn = plain(ui.certificateArn);
    if (arn !== undefined && !/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/.test(arn)) {
        refuse("certificateArn", `"${arn}" is no ARN of a certificate in ACM`);
    }
    if (ui.certificateArn !== undefined && !ui.hostName) {
        refuse("hostName", "a certificate is for a name: give the name that people will open");
    }
    if (ui.hostName !== undefined && !/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(ui.hostName)) {
        refuse("hostName", `"${ui.hostName}" is no host name such as airflow.example.com`);
    }
    if (ui.internetFacing && ui.certificateArn === undefined) {
        refuse("certificateArn", "passwords would cross the internet in the clear: internetFacing needs a certificate");
    }
    problems.push(
        ...sourceRangeProblems(
            "sourceRanges",
            ui.sourceRanges,
            ui.internetFacing ? "internetFacing without sourceRanges would open Airflow to everybody" : undefined,
        ),
        ...under("annotations", annotationProblems(ui, exposure)),
    );
    return problems;
}

/** Annotations are merged last, and must not open what the other settings keep shut. */
function annotationProblems(ui: UiSettings, exposure: UiExposure): Problem[] {
    const everything: UiSettings = { hostName: "any", sourceRanges: ["any"] };
    const made =
        exposure === UiExposure.NetworkLoadBalancer
            ? networkAnnotations(everything, "any", 3)
            : applicationAnnotations(everything, "any", 3);
    return Object.keys(ui.annotations ?? {}).flatMap((path) => {
        if (path in made || OTHER_NAMES.includes(path)) {
            return [{ path, message: "cannot be set here: it follows from the other settings of ui" }];
        }
        return ui.sourceRanges !== undefined &&
            /aws-load-balancer-disable-nlb-sg$|security-group(s|-prefix-lists)$/.test(path)
            ? [
                  {
                      path,
                      message: "would take the place of sourceRanges, which would then say nothing; give one of them",
                  },
              ]
            : [];
    });
}

/** Further annotations that say whether a load balancer is public, and who reaches it. */
const OTHER_NAMES = [
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "kubernetes.io/ingress.class",
];

/** The values that expose the UI, for Airflow 3 (`apiServer`) or 2 (`webserver`). */
export function uiValues(ui: UiSettings = {}, certificateArn: string | undefined, major: 2 | 3): HelmValues {
    const exposure = ui.exposure ?? UiExposure.None;
    const component = major === 3 ? "apiServer" : "webserver";
    const url = urlOf(ui);
    const servicePort = exposure === UiExposure.NetworkLoadBalancer ? (certificateArn ? 443 : 80) : 8080;
    const config = {
        config: {
            ...(url === undefined ? {} : { [major === 3 ? "api" : "webserver"]: { base_url: url } }),
            // The chart has workers call the Service on port 8080 even when the Service has another.
            ...(major === 3
                ? { core: { execution_api_server_url: `http://airflow-api-server:${servicePort}/execution/` } }
                : {}),
        },
    };
    if (exposure === UiExposure.NetworkLoadBalancer) {
        const port = {
            name: major === 3 ? "api-server" : "airflow-ui",
            port: servicePort,
            targetPort: major === 3 ? "api-server" : "airflow-ui",
        };
        return {
            ...config,
            [component]: {
                service: {
                    type: "LoadBalancer",
                    annotations: networkAnnotations(ui, certificateArn, major),
                    ports: [port],
                    ...(ui.sourceRanges ? { loadBalancerSourceRanges: ui.sourceRanges } : {}),
                },
            },
        };
    }
    if (exposure === UiExposure.ApplicationLoadBalancer) {
        return {
            ...config,
            ...(major === 3
                ? {
                      apiServer: {
                          // The load balancer tells in headers that people came by HTTPS; only it and pods reach the server.
                          args: ["bash", "-c", "exec airflow api-server --proxy-headers"],
                          env: [{ name: "FORWARDED_ALLOW_IPS", value: "*" }],
                      },
                  }
                : {}),
            ingress: {
                [major === 3 ? "apiServer" : "web"]: {
                    enabled: true,
                    ingressClassName: "alb",
                    path: "/",
                    pathType: "Prefix",
                    ...(ui.hostName ? { hosts: [{ name: ui.hostName }] } : {}),
                    annotations: applicationAnnotations(ui, certificateArn, major),
                },
            },
        };
    }
    return { ...config, [component]: { service: { type: "ClusterIP" } } };
}

/** The address of the UI as far as settings tell it; the load balancer's own name is known once it is there. */
export function urlOf(ui: UiSettings = {}): string | undefined {
    return ui.hostName === undefined || (ui.exposure ?? UiExposure.None) === UiExposure.None
        ? undefined
        : `${ui.certificateArn === undefined ? "http" : "https"}://${ui.hostName}`;
}

function networkAnnotations(ui: UiSettings, certificateArn: string | undefined, major: 2 | 3): Record<string, string> {
    const prefix = "service.beta.kubernetes.io/aws-load-balancer";
    return {
        // Without it Kubernetes' own controller would make a classic load balancer.
        [`${prefix}-type`]: "external",
        [`${prefix}-nlb-target-type`]: "ip",
        [`${prefix}-scheme`]: ui.internetFacing ? "internet-facing" : "internal",
        [`${prefix}-healthcheck-protocol`]: "http",
        [`${prefix}-healthcheck-path`]: healthPath(major),
        ...(certificateArn
            ? {
                  [`${prefix}-ssl-cert`]: certificateArn,
                  [`${prefix}-ssl-ports`]: "443",
                  [`${prefix}-backend-protocol`]: "tcp",
              }
            : {}),
        ...(ui.hostName ? { "external-dns.alpha.kubernetes.io/hostname": ui.hostName } : {}),
        ...ui.annotations,
    };
}

function applicationAnnotations(
    ui: UiSettings,
    certificateArn: string | undefined,
    major: 2 | 3,
): Record<string, string> {
    const prefix = "alb.ingress.kubernetes.io";
    return {
        [`${prefix}/scheme`]: ui.internetFacing ? "internet-facing" : "internal",
        [`${prefix}/target-type`]: "ip",
        [`${prefix}/healthcheck-path`]: healthPath(major),
        ...(certificateArn
            ? {
                  [`${prefix}/certificate-arn`]: certificateArn,
                  [`${prefix}/listen-ports`]: '[{"HTTP":80},{"HTTPS":443}]',
                  [`${prefix}/ssl-redirect`]: "443",
              }
            : { [`${prefix}/listen-ports`]: '[{"HTTP":80}]' }),
        ...(ui.sourceRanges ? { [`${prefix}/inbound-cidrs`]: ui.sourceRanges.join(",") } : {}),
        ...ui.annotations,
    };
}

function healthPath(major: 2 | 3): string {
    return major === 3 ? "/api/v2/monitor/health" : "/health";
}

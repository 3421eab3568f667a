import { at, record, text } from "../../api/value";
import { definition } from "../../control/definitions";
import {
    budget,
    clusterRole,
    clusterRoleBinding,
    fullName,
    mergeValues,
    plain,
    role,
    roleBinding,
    selectorLabels,
    service,
    serviceAccount,
    webhooks,
    workload,
} from "../build";
import type { ChartModel } from "../chart";

const chart = "aws-load-balancer-controller";

/** Read from renders of eks-charts/aws-load-balancer-controller 3.5.0. */
export const awsLoadBalancerController: ChartModel = {
    name: chart,
    version: "3.5.0",
    appVersion: "v3.5.0",
    check: ({ values }) =>
        text(values.clusterName)
            ? []
            : [
                  "execution error at (aws-load-balancer-controller/templates/deployment.yaml): Chart cannot be installed without a valid clusterName!",
              ],
    render: (request) => {
        const { namespace } = request;
        const values = mergeValues(
            {
                replicaCount: 2,
                createIngressClassResource: true,
                ingressClass: "alb",
                enableServiceMutatorWebhook: true,
                podDisruptionBudget: {},
            },
            request.values,
        );
        const name = fullName(request, chart);
        const account = text(at(values, "serviceAccount", "name")) || name;
        const labels = selectorLabels(request, chart);
        const hook = "aws-load-balancer-webhook-service";
        const region = text(values.region);
        return {
            definitions: [
                definition(
                    "elbv2.k8s.aws",
                    "TargetGroupBinding",
                    "targetgroupbindings",
                    "Namespaced",
                    "v1beta1",
                    "v1alpha1",
                ),
                definition("elbv2.k8s.aws", "IngressClassParams", "ingressclassparams", "Cluster", "v1beta1"),
                definition(
                    "elbv2.k8s.aws",
                    "ALBTargetControlConfig",
                    "albtargetcontrolconfigs",
                    "Namespaced",
                    "v1beta1",
                ),
                definition("aga.k8s.aws", "GlobalAccelerator", "globalaccelerators", "Namespaced", "v1beta1"),
                definition(
                    "gateway.k8s.aws",
                    "ListenerRuleConfiguration",
                    "listenerruleconfigurations",
                    "Namespaced",
                    "v1beta1",
                ),
                definition(
                    "gateway.k8s.aws",
                    "LoadBalancerConfiguration",
                    "loadbalancerconfigurations",
                    "Namespaced",
                    "v1beta1",
                ),
                definition(
                    "gateway.k8s.aws",
                    "TargetGroupConfiguration",
                    "targetgroupconfigurations",
                    "Namespaced",
                    "v1beta1",
                ),
            ],
            objects: [
                ...serviceAccount(account, namespace, values.serviceAccount),
                ...(values.enableCertManager === true
                    ? []
                    : [
                          plain("v1", "Secret", "aws-load-balancer-tls", namespace, {
                              data: { "ca.crt": "", "tls.crt": "", "tls.key": "" },
                              type: "kubernetes.io/tls",
                          }),
                      ]),
                clusterRole(`${name}-role`),
                clusterRoleBinding(`${name}-rolebinding`, `${name}-role`, account, namespace),
                role(`${name}-leader-election-role`, namespace),
                roleBinding(`${name}-leader-election-rolebinding`, `${name}-leader-election-role`, account, namespace),
                service(hook, namespace, labels, [{ name: "webhook-server", port: 443, targetPort: "webhook-server" }]),
                workload({
                    name,
                    namespace,
                    labels,
                    replicas: values.replicaCount,
                    account,
                    placement: [values],
                    containers: [
                        {
                            name: chart,
                            image: "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0",
                            args: [
                                `--cluster-name=${String(values.clusterName)}`,
                                ...(region ? [`--aws-region=${region}`] : []),
                                ...(text(values.vpcId) ? [`--aws-vpc-id=${String(values.vpcId)}`] : []),
                            ],
                            resources: values.resources,
                        },
                    ],
                    volumes: [{ name: "cert", secret: { secretName: "aws-load-balancer-tls" } }],
                }),
                ...(Object.keys(record(values.podDisruptionBudget)).length > 0
                    ? [budget(name, namespace, labels, values.podDisruptionBudget)]
                    : []),
                ...(values.createIngressClassResource === false
                    ? []
                    : [
                          plain("networking.k8s.io/v1", "IngressClass", String(values.ingressClass), undefined, {
                              spec: { controller: "ingress.k8s.aws/alb" },
                          }),
                          plain("elbv2.k8s.aws/v1beta1", "IngressClassParams", "alb"),
                      ]),
                webhooks(
                    "MutatingWebhookConfiguration",
                    "aws-load-balancer-webhook",
                    hook,
                    namespace,
                    [
                        ...(values.enableServiceMutatorWebhook === false ? [] : ["mservice.elbv2.k8s.aws"]),
                        "mtargetgroupbinding.elbv2.k8s.aws",
                    ],
                    "Fail",
                ),
                webhooks(
                    "ValidatingWebhookConfiguration",
                    "aws-load-balancer-webhook",
                    hook,
                    namespace,
                    [
                        "vingressclassparams.elbv2.k8s.aws",
                        "vtargetgroupbinding.elbv2.k8s.aws",
                        "vingress.elbv2.k8s.aws",
                    ],
                    "Fail",
                ),
            ],
        };
    },
};

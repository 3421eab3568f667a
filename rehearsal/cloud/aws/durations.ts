import type { Duration } from "../shell/type";

// Seconds on AWS. "seen": usual in the logs of deployments with the AWS provider, no figure in AWS's documentation.
const SEEN = "seen in provider logs";

export const seconds = {
    call: { create: 1, update: 1, delete: 1, source: "one API call" },
    few: { create: 3, update: 2, delete: 2, source: "a few API calls" },
    iam: { create: 2, update: 2, delete: 2, source: "IAM is eventually consistent (IAM User Guide, troubleshooting)" },
    vpc: { create: 12, update: 11, delete: 1, source: `${SEEN}: 11 s with DNS host names` },
    subnet: { create: 11, update: 11, delete: 1, source: `${SEEN}: the provider waits for mapPublicIpOnLaunch` },
    gateway: { create: 2, update: 1, delete: 12, source: `${SEEN}: detaching takes longest` },
    natGateway: { create: 105, update: 2, delete: 60, source: `${SEEN}: 90 s to 2 min` },
    gatewayEndpoint: { create: 6, update: 6, delete: 6, source: SEEN },
    interfaceEndpoint: { create: 95, update: 30, delete: 45, source: `${SEEN}: 1 to 2 min for the interfaces` },
    securityGroup: { create: 3, update: 1, delete: 2, source: SEEN },
    key: { create: 10, update: 5, delete: 1, source: `${SEEN}: the provider waits until policy and rotation are seen` },
    cluster: {
        create: 540,
        update: 600,
        delete: 150,
        source: 'EKS User Guide, create a cluster: "several minutes"; 8 to 10 min seen',
    },
    nodeGroup: { create: 120, update: 300, delete: 240, source: `${SEEN}: 1.5 to 3 min; deletion drains the nodes` },
    autoscalingGroup: {
        create: 45,
        update: 30,
        delete: 120,
        source: `${SEEN}: until its instances are in service, or gone`,
    },
    addon: { create: 45, update: 45, delete: 20, source: `${SEEN}: 15 s to 1 min, longer without nodes` },
    access: { create: 2, update: 2, delete: 2, source: SEEN },
    fileSystem: { create: 6, update: 6, delete: 10, source: "EFS User Guide: available within seconds" },
    mountTarget: { create: 85, update: 5, delete: 20, source: 'EFS User Guide: "can take up to 90 seconds"' },
    accessPoint: { create: 6, update: 1, delete: 6, source: SEEN },
    replication: { create: 240, delete: 60, source: `${SEEN}: 3 to 5 min` },
    database: {
        create: 540,
        update: 300,
        delete: 360,
        source: 'RDS User Guide, getting started: "up to 20 minutes"; 8 to 10 min seen for one zone',
    },
    multiZoneDatabase: {
        create: 840,
        update: 600,
        delete: 480,
        source: "RDS User Guide; 12 to 15 min seen for Multi-AZ",
    },
    snapshot: { create: 180, delete: 10, source: SEEN },
    bucket: { create: 3, update: 2, delete: 2, source: SEEN },
    zone: { create: 40, update: 5, delete: 2, source: "Route 53 Developer Guide: changes propagate within 60 seconds" },
    record: {
        create: 32,
        update: 32,
        delete: 32,
        source: "Route 53 Developer Guide: changes propagate within 60 seconds",
    },
    instance: { create: 15, update: 10, delete: 40, source: SEEN },
    volume: { create: 11, update: 10, delete: 10, source: SEEN },
    certificate: { create: 10, update: 1, delete: 5, source: `${SEEN}; validation not included` },
} satisfies Record<string, Duration>;

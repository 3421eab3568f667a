import type { SimulatedType } from "../../shell/type";
import { autoscalingGroup } from "./autoscaling";
import { cluster } from "./cluster";
import { clusterAccessTypes } from "./clusterAccess";
import { computeTypes } from "./compute";
import { databaseTypes } from "./database";
import { fileTypes } from "./files";
import { identityTypes } from "./identity";
import { networkTypes } from "./network";
import { nodeGroup } from "./nodeGroup";
import { securityGroupTypes } from "./securityGroups";
import { serviceTypes } from "./services";

export const types: SimulatedType[] = [
    ...networkTypes,
    ...securityGroupTypes,
    ...identityTypes,
    ...fileTypes,
    ...computeTypes,
    cluster,
    nodeGroup,
    autoscalingGroup,
    ...clusterAccessTypes,
    ...databaseTypes,
    ...serviceTypes,
];

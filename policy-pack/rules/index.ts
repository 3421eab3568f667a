import type { Rule } from "../rule";
import { rule as backupsKept } from "./backupsKept";
import { rule as databaseNotPublic } from "./databaseNotPublic";
import { rule as ebsStorageClassEncrypted } from "./ebsStorageClassEncrypted";
import { rule as ebsTopologyInCluster } from "./ebsTopologyInCluster";
import { rule as ebsVolumeEncrypted } from "./ebsVolumeEncrypted";
import { rule as ebsWaitForFirstConsumer } from "./ebsWaitForFirstConsumer";
import { rule as efsCsiVersionFloor } from "./efsCsiVersionFloor";
import { rule as efsEncrypted } from "./efsEncrypted";
import { rule as efsInTransitEncrypted } from "./efsInTransitEncrypted";
import { rule as efsMountTargetPerZone } from "./efsMountTargetPerZone";
import { rule as eksEndpointNotPublic } from "./eksEndpointNotPublic";
import { rule as eksSecretsEncrypted } from "./eksSecretsEncrypted";
import { rule as imdsv2Required } from "./imdsv2Required";
import { rule as irsaTrustScoped } from "./irsaTrustScoped";
import { rule as loadBalancerNotPublic } from "./loadBalancerNotPublic";
import { rule as nfsNotPublic } from "./nfsNotPublic";
import { rule as noInTreeEbs } from "./noInTreeEbs";
import { rule as rdsEncrypted } from "./rdsEncrypted";
import { rule as rdsTlsRequired } from "./rdsTlsRequired";
import { rule as rwoSingleWriter } from "./rwoSingleWriter";
import { rule as rwxOnlyOnEfs } from "./rwxOnlyOnEfs";
import { rule as spotDiversified } from "./spotDiversified";
import { rule as statefulProtected } from "./statefulProtected";
import { rule as storageClassKnown } from "./storageClassKnown";
import { rule as storageParametersKnown } from "./storageParametersKnown";
import { rule as workloadSchedulable } from "./workloadSchedulable";

/** All rules, in the order in which they report. One file a rule. */
export const rules: Rule[] = [
    // First, so that what it is told of the cluster's classes holds for the rules after it.
    storageClassKnown,
    backupsKept,
    databaseNotPublic,
    ebsStorageClassEncrypted,
    ebsTopologyInCluster,
    ebsVolumeEncrypted,
    ebsWaitForFirstConsumer,
    efsCsiVersionFloor,
    efsEncrypted,
    efsInTransitEncrypted,
    efsMountTargetPerZone,
    eksEndpointNotPublic,
    eksSecretsEncrypted,
    imdsv2Required,
    irsaTrustScoped,
    loadBalancerNotPublic,
    nfsNotPublic,
    noInTreeEbs,
    rdsEncrypted,
    rdsTlsRequired,
    rwoSingleWriter,
    rwxOnlyOnEfs,
    spotDiversified,
    statefulProtected,
    storageParametersKnown,
    workloadSchedulable,
];

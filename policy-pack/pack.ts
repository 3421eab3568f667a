import { PolicyPack } from "@pulumi/policy";
import { policies } from ".";
import { listenToEngine } from "./engine";

const all = policies();
listenToEngine(all.map(({ name }) => name));
new PolicyPack("eks-storage-policies", { policies: all });

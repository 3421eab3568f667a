import { isUnknown } from "../plain";
import type { Resource } from "../rule";
import { document } from "./documents";
import type { Carried, StorageClass } from "./model";
import { elements, get, isTree, text, under } from "./values";
import { isDefaultClass } from "./volumes";

/** The drivers whose charts (and EKS add-ons) can make classes, with what their templates put in when nothing is said. */
const drivers: Record<string, { provisioner: string; bindingMode?: string }> = {
    "aws-ebs-csi-driver": { provisioner: "ebs.csi.aws.com", bindingMode: "WaitForFirstConsumer" },
    "aws-efs-csi-driver": { provisioner: "efs.csi.aws.com" },
};

/** The classes that an EKS add-on makes by its configuration values (a JSON or YAML text). */
export function addonClasses(resource: Resource, carried: Carried): StorageClass[] {
    if (!/^(aws:eks\/addon:Addon|aws-native:eks:Addon|eks:index:Addon)$/.test(resource.type)) {
        return [];
    }
    const name = text(get(resource.props, "addonName"));
    const given = get(resource.props, "configurationValues");
    const driver = isUnknown(name) || name === undefined ? undefined : name;
    if (driver === undefined || !Object.hasOwn(drivers, driver) || given === undefined) {
        return [];
    }
    if (isUnknown(given)) {
        carried.blanks.push({ resource, path: "configurationValues" });
        return [];
    }
    const values = typeof given === "string" ? document(given) : isTree(given) ? given : undefined;
    if (values === undefined) {
        carried.malformed.push({
            resource,
            path: "configurationValues",
            why: "It is neither a JSON nor a YAML object.",
            about: "class",
        });
        return [];
    }
    return driverClasses(resource, driver, values, "configurationValues");
}

/** The classes that a driver's chart makes of its values. */
export function driverClasses(resource: Resource, chart: string, values: unknown, path: string): StorageClass[] {
    if (!Object.hasOwn(drivers, chart)) {
        return [];
    }
    const { provisioner, bindingMode } = drivers[chart];
    const classes = elements(get(values, "storageClasses")).map(([value, index]): StorageClass => {
        const here = under(path, "storageClasses", index);
        return {
            resource,
            path: here,
            name: text(get(value, "name")),
            autoNamed: false,
            provisioner: text(get(value, "provisioner")) ?? provisioner,
            parameters: get(value, "parameters"),
            parametersPath: under(here, "parameters"),
            bindingMode: get(value, "volumeBindingMode") ?? bindingMode,
            bindingPath: under(here, "volumeBindingMode"),
            mountOptions: get(value, "mountOptions"),
            allowedTopologies: get(value, "allowedTopologies"),
            isDefault: isDefaultClass(get(value, "annotations")),
            partial: false,
            templated: true,
        };
    });
    const standard = get(values, "defaultStorageClass", "enabled");
    if (bindingMode !== undefined && (standard === true || standard === "true")) {
        const here = under(path, "defaultStorageClass");
        classes.push({
            resource,
            path: here,
            name: "ebs-csi-default-sc",
            autoNamed: false,
            provisioner,
            parameters: undefined,
            parametersPath: here,
            bindingMode,
            bindingPath: under(here, "enabled"),
            mountOptions: undefined,
            allowedTopologies: undefined,
            isDefault: true,
            partial: false,
            templated: true,
        });
    }
    return classes;
}

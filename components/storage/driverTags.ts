import type { Problem } from "../shared/check";

/** How a driver is told of tags, which decides what they may hold. */
export interface TagForm {
    /** What a key may not hold, since the driver reads it as the key's end, with its name in words. */
    inKeys: [RegExp, string];
    /** What a value may not hold, since the driver reads it as the tag's end, with its name in words. */
    inValues?: [RegExp, string];
}

/** `key=value` in a parameter of a class (EBS driver, docs/tagging.md). */
export const CLASS_TAGS: TagForm = { inKeys: [/=/, '"="'] };

/** `key=value,key=value` in an argument of the driver (the EBS driver's chart, `controller.extraVolumeTags`). */
export const EBS_ARGUMENT_TAGS: TagForm = { inKeys: [/[=,]/, '"=" or ","'], inValues: [/,/, '","'] };

/** `key:value key:value` in an argument of the driver (the EFS driver's chart, `controller.tags`). */
export const EFS_ARGUMENT_TAGS: TagForm = {
    inKeys: [/[:\s']/, `":", a space or "'"`],
    inValues: [/[\s']/, `a space or "'"`],
};

/** What is wrong with tags that a CSI driver puts on what it makes: with a wrong one it makes nothing, or does not start at all. */
export function driverTagProblems(path: string, tags: Record<string, string>, form: TagForm): Problem[] {
    const problems = Object.entries(tags).flatMap(([key, value]) => {
        const at = `${path}.${key}`;
        if (/^(aws:|ebs\.csi\.aws\.com\/|efs\.csi\.aws\.com\/|kubernetes\.io\/|CSIVolumeName$)/i.test(key)) {
            return [{ path: at, message: `"${key}" is reserved: the driver refuses it` }];
        }
        if (key.length < 1 || key.length > 128) {
            return [{ path: at, message: `a tag's key takes 1 to 128 characters, "${key}" has ${key.length}` }];
        }
        if (form.inKeys[0].test(key)) {
            return [{ path: at, message: `"${key}" holds ${form.inKeys[1]}, where the driver takes the key to end` }];
        }
        if (value.length > 256) {
            return [{ path: at, message: "a tag's value takes 256 characters at most" }];
        }
        return form.inValues?.[0].test(value)
            ? [{ path: at, message: `"${value}" holds ${form.inValues[1]}, where the driver takes the tag to end` }]
            : [];
    });
    const count = Object.keys(tags).length;
    // AWS takes 50 tags, of which the driver needs some.
    return count > 40 ? [...problems, { path, message: `${count} tags are too many; give 40 at most` }] : problems;
}

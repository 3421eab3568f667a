import type { Properties } from "../../shell/type";
import { list, record, texts } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { refuse } from "../checks";
import { like } from "../iam/document";

type Reader = (object: WorldObject) => unknown;

/** The objects that a look-up's `filters` and `tags` choose. An unknown filter name is refused, as EC2 does. */
export function choose(world: World, token: string, args: Properties, readers: Record<string, Reader>): WorldObject[] {
    const tagsOf = (object: WorldObject) => ({ ...record(object.outputs.tagsAll), ...record(object.inputs.tags) });
    return world.all(token).filter((object) => {
        const tags = tagsOf(object);
        const fits = list(args.filters)
            .map(record)
            .every(({ name, values }) => {
                const key = String(name);
                const wanted = texts(values);
                if (key.startsWith("tag:")) return wanted.some((value) => matches(value, tags[key.slice(4)]));
                if (key === "tag-key") return wanted.some((value) => value in tags);
                const reader = readers[key];
                if (!reader) return refuse("InvalidParameterValue", `The filter '${key}' is invalid`);
                return wanted.some((value) => matches(value, reader(object)));
            });
        return fits && Object.entries(record(args.tags)).every(([key, value]) => tags[key] === value);
    });
}

function matches(pattern: string, value: unknown): boolean {
    return value !== undefined && value !== null && like(pattern, String(value), false);
}

/** The one object of a look-up; none or several are errors of the provider. */
export function only(objects: WorldObject[], what: string): WorldObject {
    if (objects.length === 0) throw new Error(`no matching ${what} found`);
    if (objects.length > 1) {
        throw new Error(
            `multiple ${what}s matched (${objects.map(({ id }) => id).join(", ")}); use additional constraints to reduce matches to a single one`,
        );
    }
    return objects[0];
}

export function answer(object: WorldObject, more: Properties = {}): Properties {
    return { tags: {}, ...object.outputs, id: object.id, ...more };
}

import type { Properties, SimulatedInvoke } from "../../shell/type";
import type { World, WorldObject } from "../../shell/world";
import { refuse } from "../checks";

/** An object by one of its properties, or the API's error. */
export function named(world: World, token: string, value: unknown, by: string[], code: string): WorldObject {
    const found = world.find(token, (object) => object.id === value || by.some((key) => object.outputs[key] === value));
    return found ?? refuse(code, `no ${token.split(":")[2]} "${String(value)}" exists`);
}

export function get(token: string, invoke: (args: Properties, world: World) => Properties): SimulatedInvoke {
    return { token: token.replace(/(\w+)$/, "$1:$1"), invoke };
}

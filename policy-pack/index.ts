import { policiesOf, type Policy } from "./runner";
import { rules } from "./rules";

export { rules } from "./rules";
export { policiesOf, type Policy } from "./runner";
export { stackOf } from "./stack";
export { isUnknown, toPlain, UNKNOWN } from "./plain";
export * from "./rule";
export type { Exception } from "./config";

/** All rules as policies, for a policy pack of one's own: `new PolicyPack("mine", { policies: [...policies(), …] })`. */
export function policies(): Policy[] {
    return policiesOf(rules);
}

import type { Problem } from "./check";
import { parseCidr } from "./cidr";

/**
 * What is wrong with the CIDR ranges from which something may be reached. An empty list is refused where `required` says why
 * ranges are needed, since to AWS and Kubernetes no range means the whole world.
 */
export function sourceRangeProblems(path: string, ranges: string[] | undefined, required?: string): Problem[] {
    if (required && !ranges?.length) {
        return [{ path, message: `${required}: list the CIDR ranges that may reach it` }];
    }
    return (ranges ?? []).flatMap((range, index) => {
        const cidr = parseCidr(range);
        if (!cidr) {
            return [
                {
                    path: `${path}[${index}]`,
                    message: `"${range}" is no CIDR range that starts at its first address, such as 203.0.113.0/24`,
                },
            ];
        }
        // Two halves of the address space are as open as the whole.
        return cidr.prefix < 2
            ? [{ path: `${path}[${index}]`, message: `${range} is the whole internet, name who may reach it` }]
            : [];
    });
}

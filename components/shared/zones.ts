import type { Problem } from "./check";

/** The region of an availability zone: `eu-west-1` for `eu-west-1a`; undefined when the text is no full zone name. */
export function regionOfZone(zone: string): string | undefined {
    // Local zones (us-west-2-lax-1a) and Wavelength zones run neither managed node groups nor EFS as a whole.
    return /^([a-z]{2,}(?:-[a-z]+)+-\d)[a-z]$/.exec(zone)?.[1];
}

/** What is wrong with a list of zones. `atLeast` says how many different ones are needed. */
export function zoneProblems(path: string, zones: string[], atLeast = 1): Problem[] {
    const problems: Problem[] = zones.flatMap((zone, index) => {
        const at = `${path}[${index}]`;
        if (regionOfZone(zone) === undefined) {
            return [
                { path: at, message: `"${zone}" is no availability zone; give its full name, such as eu-west-1a.` },
            ];
        }
        return zones.indexOf(zone) === index ? [] : [{ path: at, message: `"${zone}" is there twice; list it once.` }];
    });
    const regions = [...new Set(zones.map(regionOfZone).filter((region) => region !== undefined))];
    if (regions.length > 1) {
        problems.push({ path, message: `zones of more than one region (${regions.join(", ")}); all must be in one.` });
    }
    if (new Set(zones).size < atLeast) {
        problems.push({
            path,
            message: `${zones.length === 0 ? "no zone" : `only ${zones.join(", ")}`}; at least ${atLeast} different zone(s) are needed.`,
        });
    }
    return problems;
}

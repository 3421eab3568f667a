/** The zones of the regions that rehearsals use; other regions have a, b and c. */
const ZONES: Record<string, string> = {
    "us-east-1": "abcdef",
    "us-west-2": "abcd",
    "us-west-1": "bc",
    "eu-west-1": "abc",
    "eu-central-1": "abc",
    "ap-northeast-1": "acd",
    "ca-central-1": "abd",
    "ap-northeast-2": "abcd",
};

export function zonesOf(region: string): string[] {
    return [...(ZONES[region] ?? "abc")].map((letter) => region + letter);
}

/** The id of a zone: the same physical place in every account, `use1-az1`. */
export function zoneId(zone: string): string {
    const region = zone.slice(0, -1);
    const [area, direction, number] = region.split("-");
    const short = direction.replace(/^(north|south|central)(east|west)$/, (_, a: string, b: string) => a[0] + b[0]);
    const initial = short.length > 2 ? short[0] : short;
    return `${area}${initial}${number}-az${zonesOf(region).indexOf(zone) + 1}`;
}

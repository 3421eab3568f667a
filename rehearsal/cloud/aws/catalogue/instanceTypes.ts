/** What the rehearsal knows of an EC2 instance type. */
export interface InstanceType {
    name: string;
    vcpus: number;
    memoryGiB: number;
    architecture: "x86_64" | "arm64";
    /** Size of the local NVMe disks together; 0 without. */
    instanceStoreGB: number;
    gpus: number;
    /** Network interfaces, and IPv4 addresses on each (EC2 User Guide, "IP addresses per network interface"). */
    interfaces: number;
    addresses: number;
    /** US dollars an hour in us-east-1, rounded: good for comparing, not for bills. */
    onDemand: number;
    burstable: boolean;
    /** False for the few types from before the Nitro hypervisor. */
    nitro: boolean;
}

// Family: memory per vCPU in GiB, price per vCPU and hour, GB of local disk per vCPU, sizes.
const X86 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge";
const OLD = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge";
const ARM = "medium large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge";
const NEW_X86 = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge";
const C5 = "large xlarge 2xlarge 4xlarge 9xlarge 12xlarge 18xlarge 24xlarge";

const FAMILIES: Record<string, [memory: number, price: number, disk: number, sizes: string]> = {
    m4: [4, 0.05, 0, "large xlarge 2xlarge 4xlarge"],
    m5: [4, 0.048, 0, OLD],
    m5a: [4, 0.043, 0, OLD],
    m5ad: [4, 0.0515, 37.5, OLD],
    m5d: [4, 0.0565, 37.5, OLD],
    m5n: [4, 0.0595, 0, OLD],
    m6a: [4, 0.0432, 0, NEW_X86],
    m6g: [4, 0.0385, 0, ARM],
    m6gd: [4, 0.0452, 59, ARM],
    m6i: [4, 0.048, 0, X86],
    m6id: [4, 0.0593, 59, X86],
    m6in: [4, 0.0696, 0, X86],
    m7a: [4, 0.058, 0, "medium " + NEW_X86],
    m7g: [4, 0.0408, 0, ARM],
    m7gd: [4, 0.0534, 59, ARM],
    m7i: [4, 0.0504, 0, NEW_X86],
    "m7i-flex": [4, 0.0479, 0, "large xlarge 2xlarge 4xlarge 8xlarge"],
    m8g: [4, 0.0449, 0, ARM + " 24xlarge"],
    m8gd: [4, 0.0584, 59, ARM + " 24xlarge"],
    m8i: [4, 0.0529, 0, NEW_X86],
    c5: [2, 0.0425, 0, C5],
    c5a: [2, 0.0385, 0, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"],
    c5ad: [2, 0.043, 37.5, "large xlarge 2xlarge 4xlarge 8xlarge"],
    c5d: [2, 0.048, 25, C5],
    c5n: [2.67, 0.054, 0, "large xlarge 2xlarge 4xlarge 9xlarge 18xlarge"],
    c6a: [2, 0.03825, 0, NEW_X86],
    c6g: [2, 0.034, 0, ARM],
    c6gd: [2, 0.0384, 59, ARM],
    c6gn: [2, 0.0432, 0, ARM],
    c6i: [2, 0.0425, 0, X86],
    c6id: [2, 0.0504, 59, X86],
    c6in: [2, 0.0567, 0, X86],
    c7a: [2, 0.0513, 0, "medium " + NEW_X86],
    c7g: [2, 0.03625, 0, ARM],
    c7gd: [2, 0.0454, 59, ARM],
    c7gn: [2, 0.0624, 0, ARM],
    c7i: [2, 0.0446, 0, NEW_X86],
    "c7i-flex": [2, 0.0424, 0, "large xlarge 2xlarge 4xlarge 8xlarge"],
    c8g: [2, 0.0399, 0, ARM + " 24xlarge"],
    c8gd: [2, 0.0499, 59, ARM + " 24xlarge"],
    c8i: [2, 0.0469, 0, NEW_X86],
    r5: [8, 0.063, 0, OLD],
    r5a: [8, 0.0565, 0, OLD],
    r5ad: [8, 0.0655, 37.5, OLD],
    r5b: [8, 0.0745, 0, OLD],
    r5d: [8, 0.072, 37.5, OLD],
    r5n: [8, 0.0745, 0, OLD],
    r6a: [8, 0.0567, 0, NEW_X86],
    r6g: [8, 0.0504, 0, ARM],
    r6gd: [8, 0.0576, 59, ARM],
    r6i: [8, 0.063, 0, X86],
    r6id: [8, 0.0756, 59, X86],
    r7a: [8, 0.0761, 0, "medium " + NEW_X86],
    r7g: [8, 0.0536, 0, ARM],
    r7gd: [8, 0.068, 59, ARM],
    r7i: [8, 0.0661, 0, NEW_X86],
    r8g: [8, 0.0589, 0, ARM + " 24xlarge"],
    r8gd: [8, 0.0736, 59, ARM + " 24xlarge"],
    i3: [7.6, 0.078, 237.5, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    i3en: [8, 0.113, 625, "large xlarge 2xlarge 3xlarge 6xlarge 12xlarge 24xlarge"],
    i4i: [8, 0.086, 234, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    i4g: [8, 0.0772, 234, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    i7ie: [8, 0.13, 625, "large xlarge 2xlarge 3xlarge 6xlarge 12xlarge 24xlarge"],
    i8g: [8, 0.0858, 234, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    im4gn: [4, 0.091, 468, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    is4gen: [6, 0.144, 937, "medium large xlarge 2xlarge 4xlarge 8xlarge"],
    g4dn: [4, 0.1315, 31, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    g5: [4, 0.2515, 62, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    g5g: [2, 0.105, 0, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    g6: [4, 0.2012, 62, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge"],
    p3: [7.6, 0.3825, 0, "2xlarge 8xlarge 16xlarge"],
};

const BURSTABLE: Record<string, [vcpus: number, memory: number, interfaces: number, addresses: number, price: number]> =
    {
        nano: [2, 0.5, 2, 2, 0.0052],
        micro: [2, 1, 2, 2, 0.0104],
        small: [2, 2, 3, 4, 0.0208],
        medium: [2, 4, 3, 6, 0.0416],
        large: [2, 8, 3, 12, 0.0832],
        xlarge: [4, 16, 4, 15, 0.1664],
        "2xlarge": [8, 32, 4, 15, 0.3328],
    };

export function vcpusOf(size: string): number {
    if (size === "medium") return 1;
    if (size === "large") return 2;
    return size === "xlarge" ? 4 : Number(size.replace("xlarge", "")) * 4;
}

function limits(vcpus: number): [interfaces: number, addresses: number] {
    if (vcpus <= 1) return [2, 4];
    if (vcpus <= 2) return [3, 10];
    if (vcpus <= 8) return [4, 15];
    if (vcpus <= 48) return [8, 30];
    return [15, 50];
}

function generation(family: string): number {
    return Number(/\d/.exec(family)?.[0] ?? "5");
}

function build(): Map<string, InstanceType> {
    const types = new Map<string, InstanceType>();
    for (const [family, [memory, price, disk, sizes]] of Object.entries(FAMILIES)) {
        for (const size of sizes.split(" ")) {
            const vcpus = vcpusOf(size);
            const [interfaces, addresses] = limits(vcpus);
            const name = `${family}.${size}`;
            types.set(name, {
                name,
                vcpus,
                memoryGiB: Math.round(memory * vcpus * 10) / 10,
                architecture:
                    /^[a-z]+\d+g/.test(family) && !/^g/.test(family)
                        ? "arm64"
                        : family === "g5g" || /^(im4gn|is4gen)$/.test(family)
                          ? "arm64"
                          : "x86_64",
                instanceStoreGB: Math.round(disk * vcpus),
                gpus: /^[gp]\d/.test(family) ? 1 : 0,
                interfaces,
                addresses,
                onDemand: Math.round(price * vcpus * 10000) / 10000,
                burstable: false,
                nitro: generation(family) >= 5 && family !== "i3",
            });
        }
    }
    for (const family of ["t2", "t3", "t3a", "t4g"]) {
        for (const [size, [vcpus, memoryGiB, interfaces, addresses, price]] of Object.entries(BURSTABLE)) {
            const name = `${family}.${size}`;
            const factor = family === "t4g" ? 0.808 : family === "t3a" ? 0.904 : family === "t2" ? 1.115 : 1;
            types.set(name, {
                name,
                vcpus,
                memoryGiB,
                interfaces,
                addresses,
                architecture: family === "t4g" ? "arm64" : "x86_64",
                instanceStoreGB: 0,
                gpus: 0,
                onDemand: Math.round(price * factor * 10000) / 10000,
                burstable: true,
                nitro: family !== "t2",
            });
        }
    }
    return types;
}

export const INSTANCE_TYPES = build();

/** Pods that fit with the VPC CNI: EKS User Guide, "max pods"; prefixes raise it to 110, or 250 from 30 vCPUs. */
export function maxPods(type: InstanceType, prefixDelegation = false): number {
    if (prefixDelegation) return type.vcpus > 30 ? 250 : 110;
    return type.interfaces * (type.addresses - 1) + 2;
}

/** A spot price that differs by type and zone and stays the same: between 28 % and 47 % of on demand. */
export function spotPrice(type: InstanceType, zone: string): number {
    const seed = [...`${type.name} ${zone}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1000, 7);
    return Math.round(type.onDemand * (0.28 + (0.19 * seed) / 1000) * 10000) / 10000;
}

/** Older families are not in every zone: the last zone of a region lacks the newest generation. */
export function offeredIn(type: InstanceType, zone: string): boolean {
    if (zone === "us-east-1e") return generation(type.name) <= 5 && type.architecture === "x86_64";
    return true;
}

import * as pulumi from "@pulumi/pulumi";
import * as components from "../components";
import type { Problem } from "../components";
import { mapOf, shapeProblems } from "../components/shared/shape";
import { combinationProblems } from "./combinations";
import { airflowArgs, alarmArgs, hostNames, isSet, plannedVersion, withPlaces, withProfile } from "./derived";

/** What the composition gives to components; all else of their arguments are settings. */
type Given = "cluster" | "network" | "zones" | "metastore" | "hostNames";
type SettingsOf<Args> = Omit<Args, Given>;
/** Settings of something that a stack has only when asked. */
type Optional<Args> = {
    /** Whether the stack has it. @default false */
    enabled?: boolean;
} & SettingsOf<Args>;
/** Settings of something that a stack has unless told otherwise. */
type Usual<Args> = {
    /** Whether the stack has it. @default true */
    enabled?: boolean;
} & SettingsOf<Args>;

/** Alarms of what the stack itself has. */
export interface AlarmSettings extends Omit<components.CloudWatchAlarmsArgs, "database" | "fileSystem"> {
    /** When the database alarms, for a new metastore. */
    database?: Omit<components.DatabaseAlarms, "instanceIdentifier">;
    /** When the file system alarms. */
    fileSystem?: Omit<components.FileSystemAlarms, "fileSystemId">;
}

/**
 * All that differs between stacks. Each property is a key of the stack's configuration; objects are the arguments of the component
 * that is named. `npm run settings` writes Pulumi.yaml from this documentation.
 */
export interface Settings {
    /**
     * The availability zones, by letter (a) or full name (eu-west-1a), at least two. Zones may be appended later, never removed or
     * reordered.
     * @default ["a", "b"]
     */
    zones: string[];
    /**
     * Labels of the nodes on which drivers and controllers run, for each of them whose own settings name none. Empty: the system nodes
     * of a new cluster, any node of one that is there.
     * @default {}
     */
    controllerNodes: Record<string, string>;
    /** A new network: AirflowNetwork. Not with existingNetwork or existingCluster. @default {} */
    network: SettingsOf<components.AirflowNetworkArgs>;
    /** A network that is there, instead of a new one: ExistingNetwork. With existingCluster the VPC is the cluster's: leave out vpcId, or all of this. @default {} */
    existingNetwork: SettingsOf<components.ExistingNetworkArgs>;
    /** A new cluster: PlatformCluster. Not with existingCluster. @default {} */
    cluster: SettingsOf<components.PlatformClusterArgs>;
    /** A cluster that is there, instead of a new one: ExistingCluster. @default {} */
    existingCluster: SettingsOf<components.ExistingClusterArgs>;
    /** Nodes for Airflow's workers, on Spot: SpotNodeGroup. @default {} */
    workers: SettingsOf<components.SpotNodeGroupArgs>;
    /** Further nodes on demand, for Airflow's other pods where the cluster's system nodes do not suffice: NodeGroup. @default {} */
    services: Optional<components.NodeGroupArgs>;
    /** Block storage: EbsCsiStack. @default {} */
    disks: SettingsOf<components.EbsCsiStackArgs>;
    /** Snapshots of volumes: VolumeSnapshots. @default {} */
    snapshots: Optional<components.VolumeSnapshotsArgs>;
    /** The driver of shared file systems: EfsCsiDriver. @default {} */
    filesDriver: SettingsOf<components.EfsCsiDriverArgs>;
    /** A new shared file system: EfsSharedStorage. Not with existingFiles. @default {} */
    files: SettingsOf<components.EfsSharedStorageArgs>;
    /** A file system that is there, instead of a new one: ExistingFileSystem. @default {} */
    existingFiles: SettingsOf<components.ExistingFileSystemArgs>;
    /** A new database: AirflowMetastore. Not with existingMetastore. @default {} */
    metastore: SettingsOf<components.AirflowMetastoreArgs>;
    /** A database that is there, instead of a new one: ExistingMetastore. @default {} */
    existingMetastore: SettingsOf<components.ExistingMetastoreArgs>;
    /** What scales the workers: Keda. @default {} */
    keda: Usual<components.KedaArgs>;
    /** Load balancers for Services and Ingresses: AwsLoadBalancerController. @default {} */
    loadBalancerController: Optional<components.AwsLoadBalancerControllerArgs>;
    /** DNS names for Services and Ingresses: ExternalDns. @default {} */
    externalDns: Optional<components.ExternalDnsArgs>;
    /** A view of the cluster: KubeOpsView. @default {} */
    kubeOpsView: Optional<components.KubeOpsViewArgs>;
    /** Adds and removes nodes: ClusterAutoscaler. @default {} */
    clusterAutoscaler: Usual<components.ClusterAutoscalerArgs>;
    /** CPU and memory of pods for `kubectl top` and autoscaling: MetricsServer. @default {} */
    metricsServer: Optional<components.MetricsServerArgs>;
    /** Alarms of database and file system: CloudWatchAlarms. @default {} */
    alarms: Optional<AlarmSettings>;
    /** Airflow: AirflowCelery. @default {} */
    airflow: Partial<SettingsOf<components.AirflowCeleryArgs>>;
}

/** Settings that are secret: encrypted in the stack's configuration, and Pulumi secrets from there on. */
export const SECRETS = [
    "airflow.dags.gitSync.sshKey",
    "airflow.dags.gitSync.token",
    "airflow.admin.password",
    "airflow.fernet.keys",
    "existingMetastore.password",
    "existingMetastore.adminPassword",
];

/** What an area of the settings takes from the composition, and how it is checked. */
interface Area {
    /** Arguments that come from other components or from the zones. */
    given: string[];
    check: (args: never) => Problem[];
    /** Whether the area is there when `enabled` says nothing; absent where it cannot be switched. */
    byDefault?: boolean;
    /** Adds what the composition derives from other areas. */
    complete?: (settings: Settings) => object;
    /** The areas that take its place when one of them is set. */
    instead?: (keyof Settings)[];
}

/** Stands for what other components give, which no check looks into. */
const LATER = pulumi.output<never>({} as never);

const AREAS: Record<Exclude<keyof Settings, "zones" | "controllerNodes">, Area> = {
    network: {
        given: ["zones"],
        check: components.checkAirflowNetworkArgs,
        instead: ["existingNetwork", "existingCluster"],
    },
    existingNetwork: {
        given: ["zones"],
        check: components.checkExistingNetworkArgs,
        complete: ({ existingCluster }) => (isSet(existingCluster) ? { vpcId: LATER } : {}),
    },
    cluster: { given: ["zones", "network"], check: components.checkPlatformClusterArgs, instead: ["existingCluster"] },
    existingCluster: { given: ["zones"], check: components.checkExistingClusterArgs },
    workers: { given: ["zones", "cluster"], check: components.checkSpotNodeGroupArgs },
    services: { given: ["zones", "cluster"], check: components.checkNodeGroupArgs, byDefault: false },
    disks: { given: ["zones", "cluster"], check: components.checkEbsCsiStackArgs },
    snapshots: { given: ["cluster"], check: components.checkVolumeSnapshotsArgs, byDefault: false },
    filesDriver: { given: ["cluster"], check: components.checkEfsCsiDriverArgs },
    files: {
        given: ["zones", "cluster", "network"],
        check: components.checkEfsSharedStorageArgs,
        instead: ["existingFiles"],
    },
    existingFiles: { given: ["zones", "cluster", "network"], check: components.checkExistingFileSystemArgs },
    metastore: {
        given: ["zones", "cluster", "network"],
        check: components.checkAirflowMetastoreArgs,
        instead: ["existingMetastore"],
    },
    existingMetastore: { given: [], check: components.checkExistingMetastoreArgs },
    keda: { given: ["cluster"], check: components.checkKedaArgs, byDefault: true },
    loadBalancerController: {
        given: ["cluster"],
        check: components.checkAwsLoadBalancerControllerArgs,
        byDefault: false,
    },
    externalDns: { given: ["cluster", "hostNames"], check: components.checkExternalDnsArgs, byDefault: false },
    kubeOpsView: { given: [], check: components.checkKubeOpsViewArgs, byDefault: false },
    clusterAutoscaler: { given: ["cluster"], check: components.checkClusterAutoscalerArgs, byDefault: true },
    metricsServer: { given: ["cluster"], check: components.checkMetricsServerArgs, byDefault: false },
    alarms: {
        given: [],
        check: components.checkCloudWatchAlarmsArgs,
        byDefault: false,
        complete: ({ alarms }) => alarmArgs(alarms, LATER, LATER),
    },
    airflow: {
        given: ["cluster", "metastore"],
        check: components.checkAirflowCeleryArgs,
        // Whether KEDA is there is judged below, in the words of the stack.
        complete: (settings) => airflowArgs({ ...settings, keda: { enabled: true } }, LATER),
    },
};

/** Where settings come from: a stack's configuration, or a test. */
export interface SettingsSource {
    /** The AWS region (`aws:region`). */
    region?: string;
    /** The AWS CLI's profile (`aws:profile`). @default the environment's credentials */
    profile?: string;
    /** Values by key, without the project's name. */
    values: Record<string, unknown>;
    /** The keys whose values hold something secret. */
    secretKeys: string[];
}

/** The settings of the stack that runs. Refuses all that is wrong with them at once, before anything is registered. */
export function loadSettings(): Settings {
    const { settings, problems } = readSettings(stackSource());
    if (problems.length > 0) {
        throw new components.InvalidArgumentsError(`The stack "${pulumi.getStack()}"`, problems);
    }
    return settings;
}

/** Reads settings without throwing: what they are, and all that is wrong with them. */
export function readSettings(source: SettingsSource): { settings: Settings; problems: Problem[] } {
    const { zones, problems } = readZones(source);
    const { zones: _, controllerNodes = {}, ...values } = concealed(source, problems);
    problems.push(...shapeProblems(controllerNodes, mapOf("string"), "controllerNodes"));
    for (const key of Object.keys(values).filter((name) => !Object.hasOwn(AREAS, name))) {
        problems.push({ path: key, message: "there is no such setting; Pulumi.yaml lists them all" });
    }
    const areas = Object.entries(AREAS).map(([key, { byDefault }]) => {
        const value = values[key] ?? {};
        if (typeof value !== "object" || Array.isArray(value)) {
            problems.push({ path: key, message: "is not a map of keys and values" });
            return [key, {}];
        }
        return [key, byDefault === undefined ? value : { enabled: byDefault, ...value }];
    });
    const settings = { zones, controllerNodes, ...Object.fromEntries(areas) } as Settings;
    for (const key of Object.keys(AREAS) as (keyof typeof AREAS)[]) {
        const { instead } = AREAS[key];
        if (isUsed(key, settings)) {
            problems.push(...components.under(key, checkArea(key, settings)));
        } else if (isSet(settings[key])) {
            const other = instead?.find((one) => isSet(settings[one] as object));
            problems.push(...(other ? [{ path: key, message: `is set and ${other} too; take one of the two` }] : []));
        }
    }
    problems.push(...combinationProblems(settings));
    return { settings: problems.length > 0 ? settings : withPlaces(withProfile(settings, source.profile)), problems };
}

/** Makes an optional part where it is enabled: a list of one or none, so that it can be depended on either way. */
export function optional<Settings extends { enabled?: boolean }, Part>(
    { enabled, ...args }: Settings,
    make: (args: Omit<Settings, "enabled">) => Part,
): Part[] {
    return enabled ? [make(args)] : [];
}

function isUsed(key: keyof typeof AREAS, settings: Settings): boolean {
    const { instead } = AREAS[key];
    if (key.startsWith("existing")) {
        return isSet(settings[key]);
    }
    // A switch that is neither true nor false has to be refused by the check.
    return instead
        ? !instead.some((other) => isSet(settings[other] as object))
        : (settings[key] as { enabled?: unknown }).enabled !== false;
}

function checkArea(key: keyof typeof AREAS, settings: Settings): Problem[] {
    const { byDefault, check, complete, given } = AREAS[key];
    const { enabled, ...own } = { ...settings[key], ...complete?.(settings) } as { enabled?: unknown };
    const problems = given
        .filter((name) => name in own)
        .map((name) => ({ path: name, message: "is not yours to set; it comes from the rest of the stack" }));
    if (byDefault === undefined && enabled !== undefined) {
        problems.push({ path: "enabled", message: "does not exist here: the stack always has this" });
    } else if (byDefault !== undefined && typeof enabled !== "boolean") {
        problems.push({ path: "enabled", message: "is neither true nor false" });
    }
    const others = Object.fromEntries(given.map((name) => [name, givenTo(name, settings)]));
    // Zones are judged once, for all areas.
    const found = check({ ...own, ...others } as never).filter(({ path }) => !/^zones\b/.test(path));
    return [...problems, ...found];
}

/** What the composition will give to a component, as far as it is known before anything runs. */
function givenTo(name: string, settings: Settings): unknown {
    switch (name) {
        case "zones":
            return settings.zones;
        case "hostNames":
            return hostNames(settings);
        // Of what is new the checks may know what the settings say of it.
        case "cluster":
            return isSet(settings.existingCluster) ? LATER : { kubernetesVersion: plannedVersion(settings) };
        case "network":
            return isUsed("network", settings)
                ? { vpcCidr: settings.network.cidrBlock ?? components.defaultCidrBlock }
                : LATER;
        default:
            return LATER;
    }
}

function readZones({ region, values }: SettingsSource): { zones: string[]; problems: Problem[] } {
    const problems: Problem[] = [];
    if (!region) {
        problems.push({ path: "aws:region", message: "is not set: `pulumi config set aws:region eu-west-1`" });
    }
    const given = values.zones ?? ["a", "b"];
    if (!Array.isArray(given) || given.some((zone) => typeof zone !== "string")) {
        return { zones: [], problems: [...problems, { path: "zones", message: "is not a list of zones" }] };
    }
    const zones = given.map((zone: string) => (/^[a-z]$/.test(zone) ? `${region ?? "eu-west-1"}${zone}` : zone));
    problems.push(...components.zoneProblems("zones", zones, 2));
    zones.forEach((zone, index) => {
        if (region && components.regionOfZone(zone) !== region && components.regionOfZone(zone) !== undefined) {
            problems.push({ path: `zones[${index}]`, message: `${zone} is no zone of the region ${region}` });
        }
    });
    return { zones, problems };
}

/** Makes secrets of the settings that are secret, and refuses those that stand in the configuration in plain text. */
function concealed(source: SettingsSource, problems: Problem[]): Record<string, unknown> {
    const values = structuredClone(source.values);
    for (const path of SECRETS) {
        const [key, ...keys] = path.split(".");
        const last = keys.pop() as string;
        const holder = keys.reduce<unknown>(
            (value, name) => (value as Record<string, unknown> | undefined)?.[name],
            values[key],
        );
        if (typeof holder !== "object" || holder === null || !(last in holder)) {
            continue;
        }
        if (!source.secretKeys.includes(key)) {
            problems.push({
                path,
                message: `stands in the configuration in plain text; set it by \`pulumi config set --secret --path ${path}\``,
            });
        }
        const record = holder as Record<string, unknown>;
        record[last] = pulumi.secret(record[last]);
    }
    return values;
}

function stackSource(): SettingsSource {
    const project = `${pulumi.getProject()}:`;
    const own = (keys: string[]) => keys.filter((key) => key.startsWith(project));
    const bare = (key: string) => key.slice(project.length);
    const config = pulumi.runtime.allConfig();
    const aws = new pulumi.Config("aws");
    // The language host says which keys hold something secret; the SDK itself tells that to nobody.
    const secretKeys: string[] = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]");
    return {
        region: aws.get("region"),
        profile: aws.get("profile"),
        values: Object.fromEntries(own(Object.keys(config)).map((key) => [bare(key), parsed(config[key])])),
        secretKeys: own(secretKeys).map(bare),
    };
}

/** Lists and maps arrive as JSON. */
function parsed(value: string): unknown {
    return /^[[{]/.test(value) ? JSON.parse(value) : value;
}

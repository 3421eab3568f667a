import type { Properties } from "../../shell/type";
import type { Manifest } from "../api/object";

/** What a chart is asked to render. */
export interface ReleaseRequest {
    name: string;
    namespace: string;
    /** The values that were given, without the chart's own defaults. */
    values: Properties;
    version?: string;
}

/** An object that Helm makes outside of the release, at some moment of it. */
export interface Hook {
    manifest: Manifest;
    /** `pre-install`, `post-install`, `post-upgrade`, … */
    events: string[];
    weight: number;
}

/** What a chart brings: objects with API version and kind, in no particular order. */
export interface Rendered {
    objects: Manifest[];
    hooks?: Hook[];
    /** Objects of the chart's `crds/` folder: installed once, never upgraded, never removed. */
    definitions?: Manifest[];
}

/**
 * A model of a published chart: which objects its values make, as far as they matter to a cluster. Written from reading
 * renders of the real chart; checked against lists of what they contain.
 */
export interface ChartModel {
    name: string;
    /** The chart version that was read. */
    version: string;
    appVersion: string;
    /** What is wrong with the values: the chart's own schema and `fail` calls. */
    check?: (request: ReleaseRequest) => string[];
    render: (request: ReleaseRequest) => Rendered;
}

import * as proxy from "@pulumi/policy/proxy";

/** The SDK's own proxy around properties, which throws when an unknown value is read (internal to the SDK, so without a type). */
export const { unknownCheckingProxy } = proxy as unknown as {
    unknownCheckingProxy: (props: object) => Record<string, unknown>;
};

import * as pulumi from "@pulumi/pulumi";

/** One thing that is wrong with the arguments of a component or the settings of a stack. */
export interface Problem {
    /** Where: a path below the component's arguments, such as `classes.efs-sc.gidRangeEnd`. */
    path: string;
    /** What is wrong there and what to do about it, in one or two sentences that start with a small letter. */
    message: string;
}

/**
 * Thrown before anything is registered when arguments cannot work. It lists every problem, not the first one only. Pulumi
 * shows a `RunError` without a stack trace: the reader is to mend settings, not code.
 */
export class InvalidArgumentsError extends pulumi.RunError {
    constructor(
        readonly subject: string,
        readonly problems: Problem[],
    ) {
        super(
            `${subject} cannot be deployed like this, ${problems.length} problem(s):\n` +
                problems.map(({ path, message }) => `  - ${path}: ${message}`).join("\n"),
        );
        this.name = "InvalidArgumentsError";
    }
}

/** Refuses a component's arguments when its check found problems. Called in a constructor before `super`. */
export function refuseProblems(type: string, name: string, problems: Problem[]): void {
    if (problems.length > 0) {
        throw new InvalidArgumentsError(`${type} "${name}"`, problems);
    }
}

/** Puts problems that were found in a part under the path of the whole. */
export function under(path: string, problems: Problem[]): Problem[] {
    return problems.map((problem) => ({
        path: problem.path ? `${path}.${problem.path}` : path,
        message: problem.message,
    }));
}

/**
 * The value of an input when it is known at once. Outputs, promises and absent values give `undefined`: a pure check
 * judges only what is plain, the rest is judged by the provider in the preview.
 */
export function plain<T>(value: pulumi.Input<T> | undefined): T | undefined {
    if (value === undefined || value === null || pulumi.Output.isInstance(value) || value instanceof Promise) {
        return undefined;
    }
    return value as T;
}

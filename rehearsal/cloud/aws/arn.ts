import type { World } from "../shell/world";

/** The service in the ARNs of a module's types, where its name is another than the module's. */
const SERVICES: Record<string, string> = {
    ebs: "ec2",
    vpc: "ec2",
    efs: "elasticfilesystem",
    cloudwatch: "logs",
    alb: "elasticloadbalancing",
    lb: "elasticloadbalancing",
};

/** Services whose objects belong to an account, not to one of its regions. */
const GLOBAL = new Set(["iam", "route53", "cloudfront", "organizations", "budgets"]);

export function isGlobal(token: string): boolean {
    return GLOBAL.has(moduleOf(token));
}

export function moduleOf(token: string): string {
    return token.split(":")[1].split("/")[0];
}

export function arn(
    world: World,
    service: string,
    resource: string,
    place: { region?: string; account?: string } = {},
): string {
    const region = place.region ?? (GLOBAL.has(service) || service === "s3" ? "" : world.region);
    const account = place.account ?? (service === "s3" ? "" : world.accountId);
    return `arn:${world.partition}:${service}:${region}:${account}:${resource}`;
}

/** An ARN for a type that says nothing of its own: `arn:aws:<service>:<region>:<account>:<type>/<id>`. */
export function genericArn(world: World, token: string, id: string): string {
    const module = moduleOf(token);
    const type = token.slice(token.lastIndexOf(":") + 1);
    const kebab = type.replace(/[a-z][A-Z]/g, (pair) => `${pair[0]}-${pair[1]}`).toLowerCase();
    const service = SERVICES[module] ?? module;
    return arn(world, service, `${kebab}/${id}`, GLOBAL.has(module) ? { region: "" } : {});
}

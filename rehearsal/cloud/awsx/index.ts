import type { SimulatedPackage } from "../shell/package";
import { constructVpc } from "./vpc";

/** @pulumi/awsx: the components for networks. */
export const awsx: SimulatedPackage = {
    name: "awsx",
    scope: () => "",
    type: () => undefined,
    facts: () => undefined,
    invoke: () => undefined,
    construct: (request, monitor) => {
        if (request.type === "awsx:ec2:Vpc") return constructVpc(request, monitor);
        throw new Error(`the component ${request.type} is not simulated; use aws resources, or awsx.ec2.Vpc`);
    },
};

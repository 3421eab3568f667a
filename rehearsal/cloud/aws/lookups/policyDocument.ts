import type { Properties, SimulatedInvoke } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import { readDocument, statements } from "../iam/document";

/** A list of one becomes a scalar, several are sorted in reverse, as the real data source writes them. */
function scalarOrList(values: string[]): string | string[] {
    return values.length === 1 ? values[0] : [...values].sort().reverse();
}

function principals(blocks: unknown): unknown {
    const byType: Record<string, string[]> = {};
    for (const { type, identifiers } of list(blocks).map(record)) {
        byType[String(type)] = [...(byType[String(type)] ?? []), ...texts(identifiers)];
    }
    if (byType["*"]?.includes("*")) return "*";
    return Object.fromEntries(Object.entries(byType).map(([type, identifiers]) => [type, scalarOrList(identifiers)]));
}

function statement(block: Properties): Properties {
    const conditions: Record<string, Record<string, string | string[]>> = {};
    for (const { test, variable, values } of list(block.conditions).map(record)) {
        const operator = (conditions[String(test)] ??= {});
        const known = operator[String(variable)];
        operator[String(variable)] = scalarOrListInOrder([...[known ?? []].flat(), ...texts(values)]);
    }
    const some = (key: string) => texts(block[key]);
    return {
        ...(text(block.sid) ? { Sid: block.sid } : {}),
        Effect: block.effect ?? "Allow",
        ...(list(block.principals).length > 0 ? { Principal: principals(block.principals) } : {}),
        ...(list(block.notPrincipals).length > 0 ? { NotPrincipal: principals(block.notPrincipals) } : {}),
        ...(some("actions").length > 0 ? { Action: scalarOrList(some("actions")) } : {}),
        ...(some("notActions").length > 0 ? { NotAction: scalarOrList(some("notActions")) } : {}),
        ...(some("resources").length > 0 ? { Resource: scalarOrList(some("resources")) } : {}),
        ...(some("notResources").length > 0 ? { NotResource: scalarOrList(some("notResources")) } : {}),
        ...(Object.keys(conditions).length > 0 ? { Condition: conditions } : {}),
    };
}

function scalarOrListInOrder(values: string[]): string | string[] {
    return values.length === 1 ? values[0] : values;
}

/** `aws.iam.getPolicyDocument`, computed as the provider does: later statements replace earlier ones of the same Sid. */
export const policyDocument: SimulatedInvoke = {
    token: "aws:iam/getPolicyDocument:getPolicyDocument",
    invoke: (args) => {
        const merged: Properties[] = [];
        const add = (one: Properties, unique: boolean) => {
            const at = text(one.Sid) === undefined ? -1 : merged.findIndex(({ Sid }) => Sid === one.Sid);
            if (at >= 0 && unique) throw new Error(`duplicate Sid (${String(one.Sid)}) in source_policy_documents`);
            if (at >= 0) merged[at] = one;
            else merged.push(one);
        };
        for (const source of list(args.sourcePolicyDocuments)) {
            if (readDocument(source) === undefined) throw new Error("sourcePolicyDocuments: invalid JSON");
            statements(source).forEach((one) => add(one, true));
        }
        list(args.statements)
            .map(record)
            .map(statement)
            .forEach((one) => add(one, false));
        for (const source of list(args.overridePolicyDocuments)) statements(source).forEach((one) => add(one, false));
        const document = {
            Version: args.version ?? "2012-10-17",
            ...(text(args.policyId) ? { Id: args.policyId } : {}),
            Statement: merged,
        };
        return {
            ...args,
            id: "policy",
            json: JSON.stringify(document, null, 2),
            minifiedJson: JSON.stringify(document),
        };
    },
};

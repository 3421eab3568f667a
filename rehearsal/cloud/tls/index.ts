import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { Sdk } from "../shell/facts";
import type { SimulatedPackage } from "../shell/package";
import { CloudError, type Properties, type SimulatedInvoke, type SimulatedType } from "../shell/type";
import { isObject, text, UNKNOWN } from "../shell/values";
import { fingerprints, privateOpenssh, publicOpenssh, wireOf } from "./openssh";

const CURVES: Record<string, string> = { P224: "secp224r1", P256: "prime256v1", P384: "secp384r1", P521: "secp521r1" };
const TRADITIONAL: Record<string, string> = { rsa: "pkcs1", ec: "sec1" };
const PEM = { format: "pem" } as const;

const privateKey: SimulatedType = {
    token: "tls:index/privateKey:PrivateKey",
    autoname: false,
    seconds: { create: 0, update: 0, delete: 0, source: "computed inside the provider" },
    immutable: ["algorithm", "rsaBits", "ecdsaCurve"],
    // registry.terraform.io/providers/hashicorp/tls, resource "tls_private_key"
    check: ({ algorithm, ecdsaCurve, rsaBits }) => [
        ...oneOf("algorithm", algorithm, ["RSA", "ECDSA", "ED25519"]),
        ...oneOf("ecdsaCurve", ecdsaCurve, Object.keys(CURVES)),
        ...(typeof rsaBits === "number" && rsaBits < 512
            ? [{ property: "rsaBits", reason: "too few bits for an RSA key" }]
            : []),
    ],
    outputs: (inputs, _id, _world, old) => {
        const ecdsaCurve = text(inputs.ecdsaCurve) ?? "P224";
        const rsaBits = typeof inputs.rsaBits === "number" ? inputs.rsaBits : 2048;
        const key = old ? undefined : describe(generate(inputs.algorithm, ecdsaCurve, rsaBits), ecdsaCurve);
        return { ecdsaCurve, rsaBits, ...key };
    },
    secretOutputs: ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"],
};

function oneOf(property: string, value: unknown, choices: string[]) {
    const fits = value === undefined || value === UNKNOWN || choices.some((choice) => choice === value);
    return fits ? [] : [{ property, reason: `value must be one of: ${choices.join(", ")}; got: ${String(value)}` }];
}

function generate(algorithm: unknown, curve: string, modulusLength: number): KeyObject {
    switch (algorithm) {
        case "ECDSA":
            return generateKeyPairSync("ec", { namedCurve: CURVES[curve]! }).privateKey;
        case "ED25519":
            return generateKeyPairSync("ed25519").privateKey;
        default:
            return generateKeyPairSync("rsa", { modulusLength }).privateKey;
    }
}

function describe(key: KeyObject, curve: string): Properties {
    const wire = wireOf(key, key.asymmetricKeyType === "ec" ? curve : undefined);
    const prints = wire && fingerprints(wire);
    const traditional = TRADITIONAL[key.asymmetricKeyType ?? ""] ?? "pkcs8";
    return {
        privateKeyPem: key.export({ ...PEM, type: traditional as "pkcs8" }),
        privateKeyPemPkcs8: key.export({ ...PEM, type: "pkcs8" }),
        privateKeyOpenssh: wire ? privateOpenssh(wire) : "",
        publicKeyPem: createPublicKey(key).export({ ...PEM, type: "spki" }),
        publicKeyOpenssh: wire ? publicOpenssh(wire) : "",
        publicKeyFingerprintMd5: prints?.md5 ?? "",
        publicKeyFingerprintSha256: prints?.sha256 ?? "",
    };
}

const ALGORITHMS: Record<string, string> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };
const CURVE_NAMES = Object.fromEntries(Object.entries(CURVES).map(([name, curve]) => [curve, name]));

const getPublicKey: SimulatedInvoke = {
    token: "tls:index/getPublicKey:getPublicKey",
    invoke: ({ privateKeyPem, privateKeyOpenssh }) => {
        if (typeof privateKeyPem !== "string") {
            const what =
                privateKeyOpenssh === undefined ? "privateKeyPem is missing" : "only privateKeyPem is simulated";
            throw new CloudError("InvalidKey", what);
        }
        let key: KeyObject;
        try {
            key = createPrivateKey(privateKeyPem);
        } catch (error) {
            throw new CloudError("InvalidKey", `Failed to decode PEM block: ${(error as Error).message}`);
        }
        const curve = CURVE_NAMES[key.asymmetricKeyDetails?.namedCurve ?? ""] ?? "";
        const { publicKeyPem, publicKeyOpenssh, publicKeyFingerprintMd5, publicKeyFingerprintSha256 } = describe(
            key,
            curve,
        );
        const algorithm = ALGORITHMS[key.asymmetricKeyType ?? ""] ?? "";
        const id = String(publicKeyFingerprintSha256);
        return {
            id,
            algorithm,
            publicKeyPem,
            publicKeyOpenssh,
            publicKeyFingerprintMd5,
            publicKeyFingerprintSha256,
            privateKeyPem,
        };
    },
};

const sdk = new Sdk("@pulumi/tls");

/** @pulumi/tls: real keys. Certificates are not simulated. */
export const tls: SimulatedPackage = {
    name: "tls",
    scope: () => "tls",
    checkConfig: (config) =>
        isObject(config.proxy) ? [{ property: "proxy", reason: "there is no network here" }] : [],
    type: (token) => (token === privateKey.token ? privateKey : undefined),
    facts: (token) => (token === privateKey.token ? sdk.facts(token) : undefined),
    hasTypeNamed: (name) => name === "PrivateKey",
    invoke: (token) => (token === getPublicKey.token ? getPublicKey : undefined),
};

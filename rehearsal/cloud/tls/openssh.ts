import { createHash, randomBytes, type KeyObject } from "node:crypto";

/** How OpenSSH names the curves that it knows; P224 is none of them. */
const CURVES: Record<string, string> = { P256: "nistp256", P384: "nistp384", P521: "nistp521" };

interface Wire {
    name: string;
    /** The public key's fields after its name. */
    public: Buffer[];
    /** The private key's fields after its name (PROTOCOL.key of OpenSSH). */
    private: Buffer[];
}

/** The parts of a key as OpenSSH writes them; undefined for a key that OpenSSH does not know. */
export function wireOf(key: KeyObject, curve: string | undefined): Wire | undefined {
    const id = CURVES[curve ?? ""];
    if (key.asymmetricKeyType === "ec" && id === undefined) {
        return undefined;
    }
    const jwk = key.export({ format: "jwk" });
    const part = (field: "n" | "e" | "d" | "p" | "q" | "qi" | "x" | "y") => Buffer.from(jwk[field] ?? "", "base64url");
    if (jwk.kty === "RSA") {
        const [n, e] = [integer(part("n")), integer(part("e"))];
        return {
            name: "ssh-rsa",
            public: [e, n],
            private: [n, e, ...(["d", "qi", "p", "q"] as const).map((field) => integer(part(field)))],
        };
    }
    if (jwk.kty === "OKP") {
        const seed = Buffer.concat([part("d"), part("x")]);
        return { name: "ssh-ed25519", public: [field(part("x"))], private: [field(part("x")), field(seed)] };
    }
    const point = [field(id!), field(Buffer.concat([Buffer.of(4), part("x"), part("y")]))];
    return { name: `ecdsa-sha2-${id}`, public: point, private: [...point, integer(part("d"))] };
}

export function publicBlob(wire: Wire): Buffer {
    return Buffer.concat([field(wire.name), ...wire.public]);
}

/** `ssh-rsa AAAA…`, with the newline that the real provider leaves at the end. */
export function publicOpenssh(wire: Wire): string {
    return `${wire.name} ${publicBlob(wire).toString("base64")}\n`;
}

export function privateOpenssh(wire: Wire): string {
    const check = randomBytes(4);
    const secret = Buffer.concat([check, check, field(wire.name), ...wire.private, field("")]);
    const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
    const body = Buffer.concat([
        Buffer.from("openssh-key-v1\0"),
        field("none"),
        field("none"),
        field(""),
        Buffer.of(0, 0, 0, 1),
        field(publicBlob(wire)),
        field(Buffer.concat([secret, padding])),
    ]);
    const lines = body.toString("base64").replace(/.{1,70}/g, "$&\n");
    return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}-----END OPENSSH PRIVATE KEY-----\n`;
}

export function fingerprints(wire: Wire): { md5: string; sha256: string } {
    const blob = publicBlob(wire);
    const md5 = createHash("md5")
        .update(blob)
        .digest("hex")
        .replace(/..(?=.)/g, "$&:");
    return { md5, sha256: `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}` };
}

function field(value: string | Buffer): Buffer {
    const bytes = Buffer.from(value as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
}

/** A number as SSH writes it: no needless zeros, and one where the first bit would say "negative". */
function integer(bytes: Buffer): Buffer {
    const start = bytes.findIndex((byte) => byte !== 0);
    const trimmed = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
    return field(trimmed.length > 0 && trimmed[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), trimmed]) : trimmed);
}

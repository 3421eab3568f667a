import { createCipheriv, createDecipheriv, pbkdf2Sync, randomBytes } from "node:crypto";

/** The rehearsals' passphrase. It protects nothing: it lets settings be secret to the engine, as a user's are. */
export const PASSPHRASE = "rehearsal";

/**
 * Pulumi's passphrase encryption, so that secret settings can be written into the copy of a stack's configuration without a call of the
 * CLI for each: a key by PBKDF2 from passphrase and salt, AES-256-GCM, `v1:<nonce>:<text>`. The salt carries a proof of itself.
 */
export class Sealer {
    /** `encryptionsalt` of the stack's settings file. */
    readonly salt: string;
    readonly #key: Buffer;

    constructor(salt?: string) {
        const bytes = salt === undefined ? randomBytes(8) : Buffer.from(salt.split(":")[1]!, "base64");
        this.#key = pbkdf2Sync(PASSPHRASE, bytes, 1_000_000, 32, "sha256");
        this.salt = salt ?? `v1:${bytes.toString("base64")}:${this.seal("pulumi")}`;
    }

    seal(text: string): string {
        const nonce = randomBytes(12);
        const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
        const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
        return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
    }

    open(sealed: string): string {
        const [, nonce, body] = sealed.split(":").map((part) => Buffer.from(part, "base64")) as [
            Buffer,
            Buffer,
            Buffer,
        ];
        const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce);
        decipher.setAuthTag(body.subarray(-16));
        return Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]).toString("utf8");
    }
}

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

const ITERATIONS = 4096;

/**
 * What PostgreSQL keeps of a password (RFC 5802): with it a role's password can be set without the password itself being
 * sent, logged, or known to who sets it.
 *
 * The salt is derived and not random, so that the same password gives the same text at every deployment.
 */
export function scramVerifier(user: string, password: string): string {
    const prepared = saslPrep(password);
    const salt = createHmac("sha256", prepared).update(`metastore-role:${user}`).digest().subarray(0, 16);
    const salted = pbkdf2Sync(prepared, salt, ITERATIONS, 32, "sha256");
    const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
    const serverKey = hmac(salted, "Server Key").toString("base64");
    return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

/** The part of SASLprep (RFC 4013) that changes passwords people write; PostgreSQL does the same before it compares. */
function saslPrep(password: string): string {
    return password
        .replace(/[\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g, " ")
        .replace(/\u00AD|\u034F|\u1806|[\u180B-\u180D]|[\u200B-\u200D]|\u2060|[\uFE00-\uFE0F]|\uFEFF/g, "")
        .normalize("NFKC");
}

function hmac(key: Buffer, text: string): Buffer {
    return createHmac("sha256", key).update(text).digest();
}

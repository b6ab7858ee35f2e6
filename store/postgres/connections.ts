import type { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { Client, type ClientConfig, Pool, type PoolClient, type PoolConfig, type QueryResultRow, types } from 'pg';
import { prepared } from '../resources/statement.ts';
import { asStoreError, brokenConnection, isConnectionError, storeClosed } from './errors.ts';
import { Tls } from './tls.ts';

/** A statement that is parsed once per connection. */
export interface Sql {
  readonly name: string;
  readonly text: string;
}

export type Value = string | number | boolean | null | readonly string[] | readonly (number | null)[] | Buffer;

export const sql: (text: string) => Sql = prepared;

/** Switched off for lookups by key: a plan that was made while the tables were small must not read all of them once they have grown. */
export const INDEX_ONLY_SETTINGS = ['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit'] as const;

const BEGIN_READING = sql('BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY');
const BEGIN_SNAPSHOT = sql('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
/** Regardless of the database's default: each statement sees what was committed before it, and waits for locked rows instead of failing. */
export const BEGIN = sql('BEGIN ISOLATION LEVEL READ COMMITTED');
/** The same for statements outside of a transaction. */
const READ_COMMITTED = sql("SELECT set_config('default_transaction_isolation', 'read committed', false)");
const COMMIT = sql('COMMIT');
const ROLLBACK = sql('ROLLBACK');
/** Statements find their rows by an index. Otherwise a plan that was made while a table had a few rows would read all of it once it has many. */
export const PREFER_INDEXES = sql("SELECT set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)");
const AS_TENANT = sql("SELECT set_config('jamjet.tenant', $1, true), set_config('statement_timeout', $2, true)");
/** Uses one generic plan for lookups by key: planning each lookup again would cost more than the lookup. */
const AS_TENANT_BY_KEY = sql(`SELECT set_config('jamjet.tenant', $1, true), set_config('statement_timeout', $2, true),
  set_config('plan_cache_mode', 'force_generic_plan', true),
  ${INDEX_ONLY_SETTINGS.map((setting) => `set_config('${setting}', 'off', true)`).join(', ')}`);

const INT8 = 20;
/** How long closing waits for a database that does not answer. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Counts and times are well below 2^53. */
const parsers = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : types.getTypeParser(oid, format as 'text'),
};

export interface Settings {
  readonly url: string;
  /** For LISTEN, which does not work through a pooler that shares connections between transactions. */
  readonly listenUrl: string;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  /** After which the database itself ends a statement that reads for a tenant, so that no client keeps it busy. */
  readonly readTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** Queries of one transaction. */
export interface Queries {
  query<Row extends QueryResultRow>(statement: Sql, values?: readonly Value[]): Promise<readonly Row[]>;
  execute(statement: Sql, values: readonly Value[]): Promise<Executed>;
}

/** The result of any statement. */
export interface Executed {
  readonly rows: readonly QueryResultRow[];
  /** Rows inserted, updated or deleted. */
  readonly changed: number;
}

/** Connections to one database. Queries sent in the same turn of the event loop share a packet, so a transaction costs one round trip. */
export class Connections {
  readonly #settings: Settings;
  readonly #tls: Tls;
  readonly #listenTls: Tls;
  readonly #pool: Pool;
  #closed = false;

  constructor(settings: Settings, onError: (error: Error) => void) {
    this.#settings = settings;
    const tls = new Tls(settings.url);
    this.#tls = tls;
    this.#listenTls = settings.listenUrl === settings.url ? tls : new Tls(settings.listenUrl);
    class PooledClient extends Client {
      constructor(config?: ClientConfig) {
        super({ ...config, ...tls.encryption() });
      }
    }
    this.#pool = new Pool({ ...this.#config(tls, true), max: settings.poolSize, Client: PooledClient } as PoolConfig);
    // The pool replaces an idle connection that breaks; without a handler, the error would end the process.
    this.#pool.on('error', (error) => onError(brokenConnection(error)));
    // The pool handles no errors of a connection in use; its queries fail.
    this.#pool.on('connect', (client) => {
      ignoreErrors(client);
      applySetting(client, READ_COMMITTED);
      applySetting(client, PREFER_INDEXES);
    });
  }

  /** A connection outside the pool, for long use. `pipeline`: sends queries without waiting for the results of earlier ones. */
  dedicated(pipeline = true): Promise<Client> {
    return this.#connect(this.#tls, this.#config(this.#tls, pipeline));
  }

  /** The same for queries that may take minutes. */
  dedicatedWithoutTimeout(pipeline = true): Promise<Client> {
    const { query_timeout: _limit, ...config } = this.#config(this.#tls, pipeline);
    return this.#connect(this.#tls, config);
  }

  async queryWithoutTimeout(statement: Sql, values: readonly Value[]): Promise<readonly QueryResultRow[]> {
    try {
      const client = await this.dedicatedWithoutTimeout(false);
      try {
        return await runQuery(client, statement, values);
      } finally {
        await disconnect(client);
      }
    } catch (error) {
      throw asStoreError(error);
    }
  }

  dedicatedForListening(): Promise<Client> {
    return this.#connect(this.#listenTls, this.#config(this.#listenTls, false));
  }

  #config({ url }: Tls, pipeline: boolean): ClientConfig {
    const { statementTimeoutMs, connectTimeoutMs } = this.#settings;
    return {
      connectionString: url,
      application_name: 'jamjet',
      types: parsers,
      keepAlive: true,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: statementTimeoutMs,
      ...(pipeline ? { pipeline } : {}),
    } as ClientConfig;
  }

  async #connect(tls: Tls, config: ClientConfig): Promise<Client> {
    if (this.#closed) throw storeClosed();
    return tls.connect(async (encryption) => {
      const client = new Client({ ...config, ...encryption });
      ignoreErrors(client);
      await client.connect();
      applySetting(client, READ_COMMITTED);
      return client;
    });
  }

  async query<Row extends QueryResultRow>(statement: Sql, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#with((client) => runQuery<Row>(client, statement, values));
  }

  execute(statement: Sql, values: readonly Value[]): Promise<Executed> {
    return this.#with((client) => executeQuery(client, statement, values));
  }

  /** Runs a read as one tenant: row-level security hides other tenants' rows. */
  asTenant<Row extends QueryResultRow>(tenantId: string, statement: Sql, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#asTenant(AS_TENANT, tenantId, statement, values);
  }

  /** The same for frequent lookups of single rows by key. */
  asTenantByKey<Row extends QueryResultRow>(tenantId: string, statement: Sql, values: readonly Value[]): Promise<readonly Row[]> {
    return this.#asTenant(AS_TENANT_BY_KEY, tenantId, statement, values);
  }

  async #asTenant<Row extends QueryResultRow>(
    begin: Sql,
    tenantId: string,
    statement: Sql,
    values: readonly Value[],
  ): Promise<readonly Row[]> {
    // The policies take an empty tenant for all tenants.
    if (tenantId === '') throw new Error('a query of a tenant needs its id');
    return this.#with(async (client) => {
      const results = [
        runQuery(client, BEGIN_READING, []),
        runQuery(client, begin, this.#tenantSettings(tenantId)),
        runQuery<Row>(client, statement, values),
        runQuery(client, COMMIT, []),
      ] as const;
      await Promise.allSettled(results);
      await results[3];
      return results[2];
    });
  }

  /** When `body` throws, the transaction is rolled back. */
  transaction<T>(body: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#within(BEGIN, body);
  }

  /** Reads of one tenant in one snapshot of the database. */
  snapshot<T>(tenantId: string, body: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#within(BEGIN_SNAPSHOT, async (queries) => {
      await queries.query(AS_TENANT, this.#tenantSettings(tenantId));
      return body(queries);
    });
  }

  #tenantSettings(tenantId: string): readonly Value[] {
    return [tenantId, String(this.#settings.readTimeoutMs)];
  }

  #within<T>(begin: Sql, body: (queries: Queries) => Promise<T>): Promise<T> {
    return this.#with(async (client) => {
      await runQuery(client, begin, []);
      try {
        const result = await body(queriesOn(client));
        await runQuery(client, COMMIT, []);
        return result;
      } catch (error) {
        await runQuery(client, ROLLBACK, []).catch(() => {});
        throw error;
      }
    });
  }

  /** Waits for queries in progress, if the database answers. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.race([this.#pool.end(), closeTimeout()]);
  }

  /** The pool at this moment. */
  get use(): { readonly max: number; readonly open: number; readonly idle: number; readonly waiting: number } {
    const { totalCount: open, idleCount: idle, waitingCount: waiting } = this.#pool;
    return { max: this.#settings.poolSize, open, idle, waiting };
  }

  get closed(): boolean {
    return this.#closed;
  }

  async #with<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#closed) throw storeClosed();
    try {
      const client = await this.#pool.connect();
      let broken: Error | undefined;
      try {
        return await use(client);
      } catch (error) {
        // A connection that just broke looks idle.
        if (client.getTransactionStatus() !== 'I' || isConnectionError(error))
          broken = error instanceof Error ? error : new Error(String(error));
        throw error;
      } finally {
        client.release(broken);
      }
    } catch (error) {
      throw asStoreError(error);
    }
  }
}

/** Ends a connection in an orderly way, if the database answers. */
export async function disconnect(client: Client): Promise<void> {
  await Promise.race([client.end(), closeTimeout()]);
  client.connection.stream.destroy();
}

/** Resolves after the time that closing waits for a database that does not answer. Does not keep the process alive. */
export async function closeTimeout(): Promise<void> {
  await setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false });
}

/** Without a handler, an error event would end the process; queries report the error. */
function ignoreErrors(client: Pick<Client, 'on'>): void {
  client.on('error', () => {});
}

/** Applies a setting before the first query. If it fails, so does that query. */
function applySetting(client: Pick<Client, 'query' | 'connection'>, setting: Sql): void {
  runQuery(client, setting, []).catch(() => {});
}

/** Streams that collect queries for one packet. */
const corked = new WeakSet<Writable>();

/** Sends the queries of one turn of the event loop in one packet; the client alone would send each in its own. */
function corkUntilNextTick({ connection: { stream } }: Pick<Client, 'connection'>): void {
  if (corked.has(stream)) return;
  corked.add(stream);
  stream.cork();
  process.nextTick(() => {
    corked.delete(stream);
    stream.uncork();
  });
}

type QueryClient = Pick<Client, 'query' | 'connection'>;

/** PostgreSQL's text cannot hold NUL: like an unpaired surrogate, it becomes the replacement character. */
export async function runQuery<Row extends QueryResultRow>(
  client: QueryClient,
  statement: Sql,
  values: readonly Value[],
): Promise<readonly Row[]> {
  return (await executeQuery<Row>(client, statement, values)).rows;
}

async function executeQuery<Row extends QueryResultRow>(
  client: QueryClient,
  { name, text }: Sql,
  values: readonly Value[],
): Promise<{ readonly rows: readonly Row[]; readonly changed: number }> {
  corkUntilNextTick(client);
  const { rows, rowCount } = await client.query<Row>({ name, text, values: values.map(withoutNul) });
  return { rows, changed: rowCount ?? 0 };
}

/** Queries on a connection that the caller has to itself. */
export function queriesOn(client: QueryClient): Queries {
  return {
    query: (statement, values = []) => runQuery(client, statement, values),
    execute: (statement, values) => executeQuery(client, statement, values),
  };
}

function withoutNul<T>(value: T): unknown {
  if (Array.isArray(value)) return value.map(withoutNul);
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
}

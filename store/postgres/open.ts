import { setTimeout } from 'node:timers/promises';
import { type Client, DatabaseError } from 'pg';
import { type KnownEventType, missingEventTypes } from '../log/event-types.ts';
import { type Migration, migrate, readMigrations, refuseUnreleased } from '../migrate.ts';
import { packageFile } from '../package-files.ts';
import { StoreError } from '../port/errors.ts';
import type { Store } from '../port/store.ts';
import { COMMIT_FUNCTIONS } from './commit/commit-functions.ts';
import { Connections } from './connections.ts';
import { asStoreError, isStarting } from './errors.ts';
import { POLICIES } from './policies.ts';
import { PostgresStore } from './postgres-store.ts';
import { KNOWN_EVENT_TYPES, PUT_EVENT_TYPES } from './queries/events.ts';
import { SCHEMA_VERSION } from './queries/survey.ts';

/** Which PostgreSQL database is opened, and how. */
export interface PostgresOptions {
  /** `postgres://user@host:port/database`, with the TLS parameters of libpq. */
  readonly url: string;
  /** A direct URL for notifications, if `url` leads to a pooler that shares connections between transactions; default: `url`. */
  readonly listenUrl?: string;
  /** The writer named in the audit chains; default `admin`. A runtime writes under its id. */
  readonly writer?: string;
  /** The clock for the times of migrations, in milliseconds since the epoch; default: the system's. */
  readonly nowMs?: () => number;
  /** Signs every audit block with HMAC-SHA256; default: blocks are not signed. */
  readonly hmacKey?: string | Uint8Array;
  /** Connections besides the one that writes; default 10. */
  readonly poolSize?: number;
  /** Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** Called when an idle connection breaks, and when the database has lost commits that it had acknowledged. */
  readonly onError?: (error: Error) => void;
}

export const migrations = () => readMigrations(packageFile('store/postgres/migrations/'));
const POOL_SIZE = 10;
const STATEMENT_TIMEOUT_MS = 30_000;
export const READ_TIMEOUT_MS = 10_000;
export const CONNECT_TIMEOUT_MS = 10_000;
/** How long to wait for a server that is starting: after a crash it replays its log first. */
const STARTING_MS = 30_000;
const RETRY_MS = 200;
/** "JamJ": processes that start at once take turns at migrating and converting. */
const MIGRATION_LOCK = 0x4a616d4a;

/**
 * Opens a PostgreSQL database, which it migrates. Any number of runtimes may work on it. Rejects with `StoreError`: `schema_too_new`,
 * `store_unavailable` or `store_full`.
 *
 * @example
 * const store = await openPostgres({ url: 'postgres://jamjet@localhost:5432/jamjet' });
 */
export async function openPostgres(options: PostgresOptions): Promise<Store> {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const connections = new Connections(
    {
      url: options.url,
      listenUrl: options.listenUrl ?? options.url,
      poolSize: options.poolSize ?? POOL_SIZE,
      statementTimeoutMs,
      readTimeoutMs: Math.min(statementTimeoutMs, READ_TIMEOUT_MS),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    },
    options.onError ?? (() => {}),
  );
  try {
    const known = migrations();
    await upgrade(connections, known, options);
    return new PostgresStore(connections, {
      writer: options.writer ?? 'admin',
      hmacKey: options.hmacKey ?? null,
      onError: options.onError ?? (() => {}),
      newestVersion: known.length,
    });
  } catch (error) {
    await connections.close();
    throw located(asStoreError(error), options.url);
  }
}

async function upgrade(
  connections: Connections,
  migrations: readonly Migration[],
  { nowMs = Date.now }: PostgresOptions,
): Promise<void> {
  const client = await onceStarted(() => connections.dedicatedWithoutTimeout(false));
  const version = async (): Promise<number> => {
    const { rows } = await client.query<{ exists: boolean }>("SELECT to_regclass('schema_migrations') IS NOT NULL AS exists");
    if (rows[0]?.exists !== true) return 0;
    const applied = await client.query<{ version: number; first: string | null }>(SCHEMA_VERSION.text);
    refuseUnreleased(applied.rows[0]?.first);
    return applied.rows[0]?.version ?? 0;
  };
  const apply = async (missing: (version: number) => readonly Migration[]): Promise<void> => {
    await client.query('BEGIN');
    // Without a timeout: there may be millions of rows, and other migrating processes.
    await client.query('SET LOCAL statement_timeout = 0');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await client.query(
      'CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at_ms bigint NOT NULL)',
    );
    for (const migration of missing(await version())) {
      await client.query(migration.sql);
      const values = [migration.version, migration.name, nowMs()];
      await client.query('INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES ($1, $2, $3)', values);
    }
    await client.query(POLICIES);
    await client.query('COMMIT');
  };
  const add = async (text: string, values: readonly string[] = []): Promise<void> => {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    try {
      await client.query(text, [...values]);
    } catch (error) {
      throw mayNotAdd(error);
    }
    await client.query('COMMIT');
  };
  try {
    await checkEncoding(client);
    await migrate({ version, upgrade: apply }, migrations);
    for (const { name, create } of COMMIT_FUNCTIONS) {
      const { rows } = await client.query<{ exists: boolean }>('SELECT to_regproc($1) IS NOT NULL AS exists', [name]);
      if (rows[0]?.exists !== true) await add(create);
    }
    const eventTypes = missingEventTypes((await client.query<KnownEventType>(KNOWN_EVENT_TYPES.text)).rows);
    if (eventTypes.length > 0) await add(PUT_EVENT_TYPES.text, [JSON.stringify(eventTypes)]);
  } finally {
    await client.end();
  }
}

/** UTF-8 can hold all text, and so can SQL_ASCII, which stores bytes unchanged. */
async function checkEncoding(client: Client): Promise<void> {
  const { rows } = await client.query<{ encoding: string }>("SELECT current_setting('server_encoding') AS encoding");
  const { encoding = '' } = rows[0] ?? {};
  if (encoding !== 'UTF8' && encoding !== 'SQL_ASCII')
    throw new StoreError(
      'store_unavailable',
      `its encoding is ${encoding}, which lacks most characters: create it with ENCODING 'UTF8'`,
    );
}

/** A release without a migration may still bring a new commit function and types of events: a server without the privilege must be told who can add them. */
function mayNotAdd(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || error.code !== '42501') return error;
  const message = `this release needs its own commit function and types of events, and may not add them (${error.message}): run "jamjet db migrate" as the owner`;
  return new StoreError('store_unavailable', message, { cause: error });
}

/** Waits for a server that is starting, but not for one that cannot be reached: its address may be wrong. */
export async function onceStarted<T>(connect: () => Promise<T>): Promise<T> {
  const untilMs = performance.now() + STARTING_MS;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!isStarting(error) || performance.now() > untilMs) throw error;
      await setTimeout(RETRY_MS);
    }
  }
}

/** Adds the database's URL to the message, without its password. */
export function located(error: unknown, url: string): unknown {
  if (!(error instanceof StoreError)) return error;
  const shown = URL.canParse(url) ? new URL(url) : null;
  if (shown !== null) {
    shown.password = '';
    for (const name of ['password', 'sslpassword']) shown.searchParams.delete(name);
  }
  return new StoreError(error.code, `cannot open ${shown?.href ?? 'the database'}: ${error.message}`, { cause: error });
}

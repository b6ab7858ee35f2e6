import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/api/app.ts';
import { ControlPlane } from '../../src/control/control-plane.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { createRuntime } from '../../src/runtime/index.ts';
import type { ServerRuntimeOptions } from '../../src/runtime/options.ts';
import { readConfig } from '../../src/server/config.ts';
import { mintToken } from '../../src/server/tokens.ts';
import type { Store } from '../../store/port/store.ts';
import { openPostgres } from '../../store/postgres/open.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import type { FakeClock } from './clock.ts';
import { databaseName, type PostgresServer, runStatements } from './postgres-server.ts';
import { temporaryFolder } from './stores.ts';

/** The key that signed the chains of the databases. */
export const HMAC_KEY = 'golden';

/** The databases of test/golden/databases. */
export type GoldenDatabase = 'schema-1';

export interface GoldenOptions {
  readonly nowMs: () => number;
}

/** Restores a database for the calling test, and opens it with today's code. */
export type OpenGolden = (name: GoldenDatabase, options: GoldenOptions) => Promise<Store>;

/** A database that is being recorded. */
interface Recording {
  readonly store: Store;
  /** Writes the database as it is, while the store is open: a killed process leaves it like this. */
  readonly save: (name: GoldenDatabase) => Promise<void>;
}

/** Opens a new database for the calling test. */
type OpenRecording = (nowMs: () => number) => Promise<Recording>;

/** By engine. */
export function recordings(server: () => PostgresServer): { readonly sqlite: OpenRecording; readonly postgres: OpenRecording } {
  return {
    async sqlite(nowMs) {
      const path = join(temporaryFolder(), 'runtime.db');
      const save = async (name: GoldenDatabase): Promise<void> => {
        const copy = join(temporaryFolder(), 'copy.db');
        const db = new Database(path, { readonly: true });
        await db.backup(copy);
        db.close();
        write(`${name}.db`, readFileSync(copy));
      };
      return { store: await openSqlite({ path, nowMs, hmacKey: HMAC_KEY }), save };
    },
    async postgres(nowMs) {
      const url = await server().createDatabase();
      onTestFinished(() => server().dropDatabase(url));
      const store = await openPostgres({ url, nowMs, hmacKey: HMAC_KEY });
      const options = ['--no-owner', '--no-privileges', '--inserts', '--rows-per-insert=100', superuserOf(server(), url)];
      const save = async (name: GoldenDatabase): Promise<void> => {
        // Commands of psql, and settings that an older server does not know.
        const dump = execFileSync('pg_dump', options, { encoding: 'utf8', maxBuffer: 2 ** 28 });
        write(`${name}.sql`, Buffer.from(dump.replaceAll(/^(\\(un)?restrict |SET transaction_timeout ).*\n/gm, '')));
      };
      return { store, save };
    },
  };
}

/** Is there no such database yet? A released one is never replaced. */
export function isMissing(name: GoldenDatabase, engine: 'sqlite' | 'postgres'): boolean {
  return !existsSync(pathOf(`${name}.${engine === 'sqlite' ? 'db' : 'sql'}`));
}

/** By engine: restores a database until the end of the calling test; returns its path or its owner's URL. `server`: of the calling file. */
export function restoreGolden(server: () => PostgresServer) {
  return {
    async sqlite(name: GoldenDatabase): Promise<string> {
      const path = join(temporaryFolder(), 'runtime.db');
      writeFileSync(path, stored(`${name}.db`));
      return path;
    },
    async postgres(name: GoldenDatabase): Promise<string> {
      const url = await server().createDatabase();
      onTestFinished(() => server().dropDatabase(url));
      await runStatements(url, [stored(`${name}.sql`).toString('utf8')]);
      return url;
    },
  };
}

/** By engine. `server`: of the calling file. */
export function goldenEngines(server: () => PostgresServer): { readonly sqlite: OpenGolden; readonly postgres: OpenGolden } {
  const restore = restoreGolden(server);
  return {
    sqlite: async (name, { nowMs }) => openSqlite({ path: await restore.sqlite(name), nowMs, hmacKey: HMAC_KEY }),
    postgres: async (name, { nowMs }) => openPostgres({ url: await restore.postgres(name), nowMs, hmacKey: HMAC_KEY }),
  };
}

/** The URL by which the superuser reaches a database. */
function superuserOf(server: PostgresServer, url: string): string {
  const superuser = new URL(server.url);
  superuser.pathname = databaseName(url);
  return superuser.href;
}

function stored(file: string): Buffer {
  return gunzipSync(readFileSync(pathOf(file)));
}

function write(file: string, content: Buffer): void {
  writeFileSync(pathOf(file), gzipSync(content, { level: 9 }));
}

function pathOf(file: string): URL {
  return new URL(`../golden/databases/${file}.gz`, import.meta.url);
}

/** A request of an operator; rejects for a status of 400 and above. `Body`: the fields of the reply that the test looks at. */
export type Call<Body> = (
  method: 'GET' | 'POST' | 'PUT',
  url: string,
  body?: object,
  headers?: Readonly<Record<string, string>>,
) => Promise<Body>;

/** A server on the store, with a clock that the test moves, until the end of the test. */
export async function serveStore<Body>(store: Store, clock: FakeClock, tools: NonNullable<ServerRuntimeOptions['tools']>) {
  const nowMs = (): number => clock.nowMs();
  const errors: unknown[] = [];
  const failed = (error: unknown): number => errors.push(error);
  const config = readConfig({ JAMJET_ALLOW_PRIVATE_ADDRESSES: '1' });
  const runtime = await createRuntime({ store, clock, onError: failed, tools });
  const outbound = new Outbound({ allowPrivateAddresses: true });
  const control = new ControlPlane({ store, runtime, outbound, clock, onError: failed });
  await control.start();
  const app = buildApp({ runtime, store, control, config, auth: 'on', nowMs });
  onTestFinished(async () => {
    await Promise.all([runtime.close(0), control.close(), app.close()]);
    await store.close();
  });
  const operatorOf = async (tenantId: string, name = 'tester'): Promise<Call<Body>> => {
    const { plaintext, row } = mintToken({ tenantId, role: 'operator', name, nowMs: nowMs(), expiresAtMs: null });
    const context = { tenantId, atMs: nowMs(), actorId: 'tester', actorType: 'human', request: null } as const;
    await store.control({ type: 'token_created', token: row }, context);
    return async (method, url, body, headers = {}) => {
      const authorization = `Bearer ${plaintext}`;
      const payload = body === undefined ? {} : { payload: body };
      const reply = await app.inject({ method, url, headers: { ...headers, authorization }, ...payload });
      if (reply.statusCode >= 400) throw new Error(`${method} ${url}: ${reply.statusCode} ${reply.payload}`);
      return JSON.parse(reply.payload) as Body;
    };
  };
  return { errors, operatorOf };
}

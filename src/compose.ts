import { createReadStream } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { type Logger, pino } from 'pino';
import { checkExport, type ExportReport } from '../store/audit/check.ts';
import type { AuditReport, TokenRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';
import type { ActionContext } from '../store/writes.ts';
import { buildApp } from './api/app.ts';
import { type Config, databaseName, urlOf } from './config.ts';
import { ControlPlane } from './control/control-plane.ts';
import { databaseExists, openDatabase } from './databases.ts';
import { Outbound } from './executors/outbound.ts';
import { systemClock } from './runtime/clock.ts';
import { createRuntime } from './runtime/create-runtime.ts';
import { runtimeName } from './runtime/ids.ts';
import type { Runtime, Tools } from './runtime/types.ts';
import { hashToken, mintToken, type Role } from './tokens.ts';

/** The address cannot be listened on; the message says which and why. */
export class ListenError extends Error {
  readonly code = 'cannot_listen';

  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'ListenError';
  }
}

export interface ServerOptions {
  readonly config: Config;
  readonly tools?: Tools;
  readonly auth: 'on' | 'off';
  readonly log?: Logger;
}

export interface Server {
  readonly url: string;
  readonly port: number;
  readonly runtime: Runtime;
  /** Refuses new requests, finishes commits, gives in-process work `graceMs` to finish, closes the database. */
  close(graceMs?: number): Promise<void>;
}

/** The whole runtime behind HTTP. Rejects with `StoreError` or `ListenError`. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { config } = options;
  const log = options.log ?? pino({ level: config.logLevel });
  const parts = await openParts(options, log);
  const { app, runtime, control } = parts;
  try {
    await control.begin();
    await app.listen({ host: config.bind, port: config.port });
  } catch (cause) {
    await parts.close(0);
    const reason =
      (cause as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'the port is in use' : String((cause as Error).message);
    throw new ListenError(`cannot listen on ${config.bind} port ${config.port}: ${reason}`, { cause });
  }
  const { port } = app.server.address() as AddressInfo;
  return { url: urlOf(config.bind, port), port, runtime, close: parts.close };
}

export interface Embedded {
  readonly runtime: Runtime;
  /** The REST API without a socket: what a client would get from a server on the same database, as an operator. */
  readonly fetch: typeof globalThis.fetch;
  close(graceMs?: number): Promise<void>;
}

export interface EmbeddedOptions {
  readonly config: Config;
  readonly tools?: Tools;
  /** Stored executions to work on beside those started here. Others rest as they are. */
  readonly adopts: (executionId: string) => boolean;
  readonly log?: Logger;
}

/** The runtime in this process, without a server. */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const log = options.log ?? pino({ level: 'silent' });
  const { app, runtime, close } = await openParts({ ...options, auth: 'off' }, log);
  await app.ready();
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    const response = await app.inject({
      method: request.method as 'GET',
      url: `${url.pathname}${url.search}`,
      headers: Object.fromEntries(request.headers),
      ...(body === undefined ? {} : { payload: body }),
      ...(init?.signal == null ? {} : { signal: init.signal }),
    });
    const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
    return new Response(response.rawPayload, { status: response.statusCode, headers });
  };
  return { runtime, fetch, close };
}

interface PartsOptions extends Omit<ServerOptions, 'log'> {
  readonly adopts?: (executionId: string) => boolean;
}

async function openParts(options: PartsOptions, log: Logger) {
  const { config, tools, auth, adopts } = options;
  const id = runtimeName();
  const failed = (error: unknown): void => log.error({ err: error }, 'something could not be done behind the scenes');
  const store = await openDatabase(config, { writer: id, failed });
  let runtime: Runtime;
  try {
    runtime = await createRuntime({
      id,
      store,
      stepLimit: config.stepLimit,
      artifactThresholdBytes: config.artifactThresholdBytes,
      vars: config.workflowVars,
      allowPrivateAddresses: config.allowPrivateAddresses,
      onDiagnostic: (execution, problem) => log.warn({ execution }, problem),
      onError: failed,
      ...(tools === undefined ? {} : { tools }),
      ...(adopts === undefined ? {} : { adopts }),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
  const outbound = new Outbound({ allowPrivateAddresses: config.allowPrivateAddresses });
  const control = new ControlPlane({ store, runtime, outbound, clock: systemClock, failed });
  const app = buildApp({ runtime, store, control, config, auth, log });
  const close = async (graceMs?: number): Promise<void> => {
    await Promise.all([runtime.close(graceMs), control.close(), app.close()]);
    await store.close();
  };
  return { app, runtime, control, close };
}

export interface NewToken {
  readonly role: Role;
  readonly tenantId: string;
  readonly name?: string;
  /** Null = does not expire. */
  readonly expiresAtMs: number | null;
}

/** Makes a token on the database itself, also while a server runs on it. The plaintext is kept nowhere. */
export function createToken(config: Config, token: NewToken): Promise<{ readonly plaintext: string; readonly row: TokenRow }> {
  return administer(config, async (store, nowMs) => {
    if ((await store.tenantRow(token.tenantId)) === null)
      throw new AdminError('unknown_tenant', `tenant ${token.tenantId} does not exist`);
    const minted = mintToken({ ...token, nowMs });
    await store.control({ type: 'token_created', token: minted.row }, adminContext(token.tenantId, nowMs));
    return minted;
  });
}

export function listTokens(config: Config, tenantId: string): Promise<readonly TokenRow[]> {
  return administer(config, (store) => store.tenant(tenantId).tokens());
}

/** Throws `StoreError` `unknown_token`. */
export function revokeToken(config: Config, tenantId: string, id: string): Promise<void> {
  return administer(config, (store, nowMs) => store.control({ type: 'token_revoked', id }, adminContext(tenantId, nowMs)));
}

/** Does the database take this token now? */
export function isValidToken(config: Config, plaintext: string): Promise<boolean> {
  return administer(config, async (store, nowMs) => {
    const row = await store.tokenByHash(hashToken(plaintext));
    return row !== null && row.revokedAtMs === null && (row.expiresAtMs === null || row.expiresAtMs > nowMs);
  });
}

/** Walks the audit chain of the database itself, also while a server runs on it. Throws `AdminError` when there is no such database. */
export function verifyAudit(config: Config): Promise<AuditReport> {
  if (!databaseExists(config.database))
    throw new AdminError('unknown_database', `there is no database at ${databaseName(config.database)}`);
  return administer(config, (store) => store.verifyAudit());
}

/** Checks an exported audit log with the file alone; signatures too when the configuration has the key. `head`: how the chain must end. */
export async function verifyAuditFile(config: Config, path: string, head: string | null): Promise<ExportReport> {
  return checkExport(linesOf(createReadStream(path, 'utf8')), { key: config.auditSigningKey, head });
}

/** Lines end with a line feed and nothing else: what other characters end lines elsewhere is part of the text here. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let rest: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...others] = chunk.split('\n');
    rest.push(first);
    for (const next of others) {
      yield rest.join('');
      rest = [next];
    }
  }
  const last = rest.join('');
  if (last !== '') yield last;
}

/** What an administrator's command asks for cannot be done. */
export class AdminError extends Error {
  readonly code: 'unknown_tenant' | 'unknown_database';

  constructor(code: AdminError['code'], message: string) {
    super(message);
    this.name = 'AdminError';
    this.code = code;
  }
}

async function administer<T>(config: Config, act: (store: Store, nowMs: number) => Promise<T>): Promise<T> {
  const store = await openDatabase(config, { writer: `admin-${process.pid}` });
  try {
    return await act(store, Date.now());
  } finally {
    await store.close();
  }
}

function adminContext(tenantId: string, atMs: number): ActionContext {
  return { tenantId, atMs, actorId: `os:${userName()}`, actorType: 'human', request: null };
}

/** In a container the user may have a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

import { createReadStream } from 'node:fs';
import { userInfo } from 'node:os';
import { checkExport, type ExportReport, exportedStreams } from '../../store/audit/check-export.ts';
import { decodeStored } from '../../store/log/decode.ts';
import type { StoredEvent } from '../../store/log/stored-event.ts';
import type { ActionContext, TokenRow } from '../../store/port/control.ts';
import type { AuditReport } from '../../store/port/resources/audit.ts';
import type { Store } from '../../store/port/store.ts';
import { type Config, databaseName } from './config.ts';
import { AdminError, databaseExists, openDatabase } from './databases.ts';
import { hashToken, mintToken, type Role } from './tokens.ts';

export type UnsignedBlocks = NonNullable<AuditReport['unsigned']>;

export interface NewToken {
  readonly role: Role;
  readonly tenantId: string;
  readonly name?: string;
  /** Null = does not expire. */
  readonly expiresAtMs: number | null;
  /** The only queues whose work a token of role `worker` may do. Absent = all. */
  readonly queues?: readonly string[];
}

/** Creates a token in the database; a server may be running on it. The plaintext is not stored. */
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

/** Is the token known, not revoked and not expired? */
export function isValidToken(config: Config, plaintext: string): Promise<boolean> {
  return administer(config, async (store, nowMs) => {
    const row = await store.tokenByHash(hashToken(plaintext));
    return row !== null && row.revokedAtMs === null && (row.expiresAtMs === null || row.expiresAtMs > nowMs);
  });
}

/** Verifies the audit chains of the database; a server may be running on it. Throws `AdminError` if there is no database. */
export function verifyAudit(config: Config): Promise<AuditReport> {
  if (!databaseExists(config.database))
    throw new AdminError('unknown_database', `there is no database at ${databaseName(config.database)}`);
  return administer(config, (store) => store.verifyAudit());
}

/** Verifies an exported audit log from the file alone, with signatures if the key is configured. `head`: the expected end of the chain. */
export async function verifyAuditFile(config: Config, path: string, head: string | null): Promise<ExportReport> {
  return checkExport(linesOf(createReadStream(path, 'utf8')), { key: config.auditSigningKey, head });
}

/** An event of an exported audit log; without an execution, an action on the control plane. */
export type ExportedEvent = StoredEvent & { readonly executionId: string | null };

/** The events of an exported audit log, in the order of the file, as far as it is valid; then the result of verifying it. */
export async function* auditFileEvents(config: Config, path: string): AsyncGenerator<ExportedEvent, ExportReport, undefined> {
  const options = { key: config.auditSigningKey, head: null };
  const streams = exportedStreams(linesOf(createReadStream(path, 'utf8')), options);
  for (;;) {
    const { done, value } = await streams.next();
    if (done === true) return value;
    const { executionId, rows, entries } = value;
    for (const event of [...rows, ...entries.flatMap(decodeStored)]) yield { ...event, executionId };
  }
}

/** Splits at line feeds only: other line separators of Unicode are part of the text. */
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

/** In a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

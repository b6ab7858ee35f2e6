import type { TokenRow } from '../port/control.ts';
import type { EventPage, EventPageRequest, ExecutionRow, InboxRow, StoredCheckpoint } from '../port/executions.ts';
import type { TenantRow } from '../port/resources/tenants.ts';
import { type SealedSnapshot, storedSnapshot } from '../snapshot-seal.ts';
import type { Connections } from './connections.ts';
import { ExecutionLog } from './execution-log.ts';
import * as controlSql from './queries/control.ts';
import * as executionsSql from './queries/executions.ts';
import * as logSql from './queries/log.ts';
import * as surveySql from './queries/survey.ts';

/** The largest value of an `integer` column. */
const MAX_SEQUENCE = 2 ** 31 - 1;

/** What the runtime reads, whatever the tenant. */
export class RuntimeReads {
  readonly #connections: Connections;
  readonly #log: ExecutionLog;
  readonly #key: string | Uint8Array | null;

  constructor(connections: Connections, key: string | Uint8Array | null) {
    this.#connections = connections;
    this.#log = new ExecutionLog(connections);
    this.#key = key;
  }

  async execution(id: string): Promise<ExecutionRow | null> {
    return first(await this.#connections.query<ExecutionRow>(executionsSql.EXECUTION_BY_ID, [id]));
  }

  async checkpoint(executionId: string, atOrBefore = MAX_SEQUENCE): Promise<StoredCheckpoint | null> {
    const [row] = await this.#connections.query<SealedSnapshot>(executionsSql.CHECKPOINT, [executionId, atOrBefore]);
    return row === undefined ? null : storedSnapshot(this.#key, executionId, row);
  }

  events(executionId: string, request: EventPageRequest): Promise<EventPage> {
    return this.#log.page(executionId, request);
  }

  withLocalWork(after: string, limit: number): Promise<readonly ExecutionRow[]> {
    return this.#connections.query<ExecutionRow>(executionsSql.WITH_LOCAL_WORK, [after, limit]);
  }

  async revision(tenantId: string, hash: string): Promise<string | null> {
    return first(await this.#connections.query<{ source: string }>(controlSql.REVISION, [tenantId, hash]))?.source ?? null;
  }

  inbox(after: number, limit: number): Promise<readonly InboxRow[]> {
    return this.#connections.query<InboxRow>(logSql.INBOX, [after, limit]);
  }

  async tokenByHash(hash: string): Promise<TokenRow | null> {
    return first(await this.#connections.query<TokenRow>(controlSql.TOKEN_BY_HASH, [hash]));
  }

  async schemaVersion(): Promise<number> {
    return first(await this.#connections.query<{ version: number }>(surveySql.SCHEMA_VERSION, []))?.version ?? 0;
  }

  async tenant(id: string): Promise<TenantRow | null> {
    return first(await this.#connections.query<TenantRow>(controlSql.TENANT, [id]));
  }
}

export function first<T>(rows: readonly T[]): T | null {
  return rows[0] ?? null;
}

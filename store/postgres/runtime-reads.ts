import type { EventRow, ExecutionRow, InboxRow, TenantRow, TokenRow } from '../rows.ts';
import type { EventPage } from '../store.ts';
import type { Connections } from './connections.ts';
import * as controlSql from './queries/control.ts';
import * as executionsSql from './queries/executions.ts';
import * as logSql from './queries/log.ts';

/** What the runtime reads, whatever the tenant. */
export class RuntimeReads {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async execution(id: string): Promise<ExecutionRow | null> {
    return first(await this.#connections.query<ExecutionRow>(executionsSql.EXECUTION_BY_ID, [id]));
  }

  async checkpoint(executionId: string): Promise<{ readonly text: string; readonly seq: number } | null> {
    const [row] = await this.#connections.query<{ text: string | null; seq: number }>(executionsSql.CHECKPOINT, [executionId]);
    return row === undefined || row.text === null ? null : { text: row.text, seq: row.seq };
  }

  async events(executionId: string, page: EventPage): Promise<readonly EventRow[]> {
    const statement = logSql.listEvents({ type: page.type !== undefined, nodeId: page.nodeId !== undefined });
    const filters = [page.type, page.nodeId].filter((filter) => filter !== undefined);
    const maxBytes = page.maxChars ?? Number.MAX_SAFE_INTEGER;
    return this.#connections.query<EventRow>(statement, [executionId, page.after, page.limit, maxBytes, ...filters]);
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

  async tenant(id: string): Promise<TenantRow | null> {
    return first(await this.#connections.query<TenantRow>(controlSql.TENANT, [id]));
  }
}

export function first<T>(rows: readonly T[]): T | null {
  return rows[0] ?? null;
}

import type { Database, Statement } from 'better-sqlite3';
import { eventRow, type StoredEvent } from '../log/stored-event.ts';
import type { TokenRow } from '../port/control.ts';
import type { EventPage, EventPageRequest, EventRow, ExecutionRow, InboxRow } from '../port/executions.ts';
import type { TenantRow } from '../port/resources/tenants.ts';
import type { SealedSnapshot } from '../snapshot-seal.ts';
import * as controlSql from './queries/control.ts';
import * as executionsSql from './queries/executions.ts';
import * as logSql from './queries/log.ts';

type EventParameters = EventPageRequest & { readonly executionId: string };

/** The runtime's reads across tenants. */
export class RuntimeReads {
  readonly execution: Statement<[string], ExecutionRow>;
  readonly checkpoint: Statement<[string, number], SealedSnapshot>;
  readonly withLocalWork: Statement<[string, number], ExecutionRow>;
  readonly revision: Statement<[string, string], string>;
  readonly inbox: Statement<[number, number], InboxRow>;
  readonly tokenByHash: Statement<[string], TokenRow>;
  readonly tenant: Statement<[string], TenantRow>;
  readonly #db: Database;
  readonly #events = new Map<string, Statement<[EventParameters], StoredEvent>>();

  constructor(db: Database) {
    this.#db = db;
    this.execution = db.prepare<[string], ExecutionRow>(executionsSql.EXECUTION_BY_ID);
    this.checkpoint = db.prepare<[string, number], SealedSnapshot>(executionsSql.CHECKPOINT);
    this.withLocalWork = db.prepare<[string, number], ExecutionRow>(executionsSql.WITH_LOCAL_WORK);
    this.revision = db.prepare<[string, string], string>(controlSql.REVISION).pluck();
    this.inbox = db.prepare<[number, number], InboxRow>(logSql.INBOX);
    this.tokenByHash = db.prepare<[string], TokenRow>(controlSql.TOKEN_BY_HASH);
    this.tenant = db.prepare<[string], TenantRow>(controlSql.TENANT);
  }

  events(page: EventParameters): EventPage {
    const text = logSql.listEvents({ type: page.type !== undefined, nodeId: page.nodeId !== undefined });
    let list = this.#events.get(text);
    if (list === undefined) {
      list = this.#db.prepare<[EventParameters], StoredEvent>(text);
      this.#events.set(text, list);
    }
    const { limit, maxChars = Number.POSITIVE_INFINITY } = page;
    const rows: EventRow[] = [];
    let chars = 0;
    for (const stored of list.iterate(page)) {
      rows.push(eventRow(stored));
      chars += stored.data.length;
      if (rows.length === limit || chars > maxChars) return { rows, next: stored.seq };
    }
    return { rows, next: null };
  }
}

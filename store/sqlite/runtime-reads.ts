import type { Database, Statement } from 'better-sqlite3';
import type { TokenRow } from '../port/control.ts';
import type { ExecutionRow, InboxRow } from '../port/executions.ts';
import type { TenantRow } from '../port/resources/tenants.ts';
import type { SealedSnapshot } from '../snapshot-seal.ts';
import * as controlSql from './queries/control.ts';
import * as executionsSql from './queries/executions.ts';
import * as logSql from './queries/log.ts';
import * as surveySql from './queries/survey.ts';

/** The runtime's reads across tenants. */
export class RuntimeReads {
  readonly execution: Statement<[string], ExecutionRow>;
  readonly checkpoint: Statement<[string, number], SealedSnapshot>;
  readonly withLocalWork: Statement<[string, number], ExecutionRow>;
  readonly revision: Statement<[string, string], string>;
  readonly inbox: Statement<[number, number], InboxRow>;
  readonly tokenByHash: Statement<[string], TokenRow>;
  readonly tenant: Statement<[string], TenantRow>;
  readonly schemaVersion: Statement<[], number>;

  constructor(db: Database) {
    this.execution = db.prepare<[string], ExecutionRow>(executionsSql.EXECUTION_BY_ID);
    this.checkpoint = db.prepare<[string, number], SealedSnapshot>(executionsSql.CHECKPOINT);
    this.withLocalWork = db.prepare<[string, number], ExecutionRow>(executionsSql.WITH_LOCAL_WORK);
    this.revision = db.prepare<[string, string], string>(controlSql.REVISION).pluck();
    this.inbox = db.prepare<[number, number], InboxRow>(logSql.INBOX);
    this.tokenByHash = db.prepare<[string], TokenRow>(controlSql.TOKEN_BY_HASH);
    this.tenant = db.prepare<[string], TenantRow>(controlSql.TENANT);
    this.schemaVersion = db.prepare<[], number>(surveySql.SCHEMA_VERSION).pluck();
  }
}

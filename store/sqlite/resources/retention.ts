import type { Database, Statement } from 'better-sqlite3';
import { EXECUTIONS_REMOVED, type RemovedExecution } from '../../audit/removals.ts';
import type { ActionContext } from '../../port/control.ts';
import {
  BEFORE_ALL,
  EXECUTIONS_PER_BATCH,
  limitBatch,
  type Removal,
  type RemovalPosition,
  type RemovalRequest,
  type RetentionPolicy,
  type RetentionStore,
  removalData,
} from '../../port/resources/retention.ts';
import type { ControlLog } from '../control-log.ts';
import { guarded } from '../errors.ts';
import * as sql from '../queries/retention.ts';
import { ArtifactTables } from './artifacts.ts';

interface Ended extends RemovalPosition {
  readonly seq: number;
  readonly parentId: string | null;
}

export class SqliteRetention implements RetentionStore {
  readonly #log: ControlLog;
  readonly #artifacts: ArtifactTables;
  readonly #policies: Statement<[], RetentionPolicy>;
  readonly #oldestEnd: Statement<[string], number>;
  readonly #ended: Statement<[object], Ended>;
  readonly #isHeld: Statement<[object], 1>;
  readonly #remove: readonly Statement[];
  readonly #record: Statement;

  constructor(db: Database, log: ControlLog) {
    this.#log = log;
    this.#artifacts = new ArtifactTables(db);
    this.#policies = db.prepare<[], RetentionPolicy>(sql.RETENTION_POLICIES);
    this.#oldestEnd = db.prepare<[string], number>(sql.OLDEST_END).pluck();
    this.#ended = db.prepare<[object], Ended>(sql.ENDED_EXECUTIONS);
    this.#isHeld = db.prepare<[object], 1>(sql.IS_HELD).pluck();
    this.#remove = sql.REMOVE_EXECUTION.map((text) => db.prepare(text));
    this.#record = db.prepare(sql.RECORD_REMOVAL);
  }

  policies(): Promise<readonly RetentionPolicy[]> {
    return guarded(() => this.#policies.all());
  }

  oldestEndMs(tenantId: string): Promise<number | null> {
    return guarded(() => this.#oldestEnd.get(tenantId) ?? null);
  }

  remove(request: RemovalRequest, context: ActionContext): Promise<Removal> {
    return guarded(() => {
      const { tenantId } = context;
      const removed: RemovedExecution[] = [];
      let last: Ended | undefined;
      this.#log.act(context, (controlSeq) => {
        const batch = this.#batch(request, tenantId);
        last = batch.at(-1);
        for (const each of batch) {
          if (this.#removeOne(each, tenantId, controlSeq)) removed.push({ id: each.id, last_seq: each.seq });
        }
        return removed.length === 0 ? null : { type: EXECUTIONS_REMOVED, data: removalData(removed, request) };
      });
      const next = last === undefined ? null : { endedAtMs: last.endedAtMs, id: last.id };
      return { removed: removed.map(({ id }) => id), next };
    });
  }

  #batch({ after, endedBeforeMs }: RemovalRequest, tenantId: string): readonly Ended[] {
    const page = { tenantId, endedBeforeMs, limit: EXECUTIONS_PER_BATCH, ...(after ?? BEFORE_ALL) };
    return limitBatch(this.#ended.all(page));
  }

  #removeOne({ id, seq, parentId }: Ended, tenantId: string, controlSeq: number): boolean {
    if (this.#isHeld.get({ tenantId, id, parentId }) === 1) return false;
    this.#artifacts.release(tenantId, id);
    for (const statement of this.#remove) statement.run({ id, tenantId });
    this.#record.run({ id, tenantId, seq, controlSeq });
    return true;
  }
}

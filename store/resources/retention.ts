import { EXECUTIONS_REMOVED } from '../audit/removals.ts';
import type { ActionContext } from '../port/control.ts';
import type { RemovedExecution } from '../port/resources/retention.ts';
import {
  BEFORE_ALL,
  EXECUTIONS_PER_BATCH,
  limitBatch,
  type Removal,
  type RemovalRequest,
  type RetentionPolicy,
  type RetentionStore,
  removalData,
} from '../port/resources/retention.ts';
import { releaseArtifacts } from './artifacts.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/retention.ts';
import { all, runEach, runTogether, type Script } from './script.ts';

export class Retention implements RetentionStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  policies(): Promise<readonly RetentionPolicy[]> {
    return this.#db.runtime.all(sql.RETENTION_POLICIES);
  }

  async oldestEndMs(tenantId: string): Promise<number | null> {
    return (await this.#db.runtime.get(sql.OLDEST_END, { tenantId }))?.atMs ?? null;
  }

  async nextExpiring(after: string): Promise<string | null> {
    return (await this.#db.runtime.get(sql.NEXT_EXPIRING, { after }))?.tenantId ?? null;
  }

  remove(request: RemovalRequest, context: ActionContext): Promise<Removal> {
    const db = this.#db;
    const { tenantId } = context;
    return db.act(context, function* (controlSeq) {
      const page = {
        tenantId,
        endedBeforeMs: request.endedBeforeMs,
        limit: EXECUTIONS_PER_BATCH,
        ...(request.after ?? BEFORE_ALL),
      };
      const batch = limitBatch(yield* all(request.reason === undefined ? sql.ENDED_EXECUTIONS : sql.EXPIRED_EXECUTIONS, page));
      const last = batch.at(-1);
      const removed = yield* removeUnneeded(db, tenantId, batch);
      yield* runEach(
        sql.RECORD_REMOVAL,
        removed.map(({ id, last_seq: seq }) => ({ id, tenantId, seq, controlSeq })),
      );
      const next = last === undefined ? null : { endedAtMs: last.endedAtMs, place: last.place };
      const event = removed.length === 0 ? null : { type: EXECUTIONS_REMOVED, data: removalData(removed, request) };
      return { event, result: { removed: removed.map(({ id }) => id), next } };
    });
  }
}

function* removeUnneeded(
  db: ResourceDatabase,
  tenantId: string,
  batch: readonly sql.EndedExecution[],
): Script<readonly RemovedExecution[]> {
  if (batch.length === 0) return [];
  const needed = yield* all(sql.STILL_NEEDED, { tenantId, ids: batch.map(({ id }) => id) });
  const kept = new Set(needed.map(({ id }) => id));
  const unneeded = batch.filter(({ id }) => !kept.has(id));
  const ids = unneeded.map(({ id }) => id);
  if (ids.length === 0) return [];
  yield* releaseArtifacts(tenantId, ids);
  const labels = unneeded.flatMap(({ id, labels: text }) => Object.keys(JSON.parse(text) as object).map((key) => ({ id, key })));
  const keys = labels.map(({ key }) => db.indexKey(key));
  const labelled = { tenantId, keys, ids: labels.map(({ id }) => id) };
  yield* runTogether([
    ...sql.REMOVE_LABELS[db.engine].map((statement) => ({ statement, values: labelled })),
    ...sql.REMOVE_EXECUTIONS.map((statement) => ({ statement, values: { tenantId, ids } })),
  ]);
  return unneeded.map(({ id, seq }) => ({ id, last_seq: seq }));
}

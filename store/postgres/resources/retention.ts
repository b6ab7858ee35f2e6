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
import type { Connections, Queries } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import { indexKey } from '../index-key.ts';
import * as sql from '../queries/retention.ts';
import { releaseArtifacts } from './artifacts.ts';

interface Ended extends RemovalPosition {
  readonly seq: number;
  readonly labels: string;
}

export class PostgresRetention implements RetentionStore {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  policies(): Promise<readonly RetentionPolicy[]> {
    return this.#connections.query<RetentionPolicy>(sql.RETENTION_POLICIES);
  }

  async oldestEndMs(tenantId: string): Promise<number | null> {
    const [row] = await this.#connections.query<{ atMs: number }>(sql.OLDEST_END, [tenantId]);
    return row?.atMs ?? null;
  }

  async remove(request: RemovalRequest, context: ActionContext): Promise<Removal> {
    const { tenantId } = context;
    let result: Removal = { removed: [], next: null };
    await this.#log.act(context, async (queries, controlSeq) => {
      const { endedAtMs, id } = request.after ?? BEFORE_ALL;
      const page = [tenantId, request.endedBeforeMs, endedAtMs, id, EXECUTIONS_PER_BATCH];
      const batch = limitBatch(await queries.query<Ended>(sql.ENDED_EXECUTIONS, page));
      const last = batch.at(-1);
      const removed = await removeFree(queries, tenantId, batch);
      await record(queries, tenantId, removed, controlSeq);
      const next = last === undefined ? null : { endedAtMs: last.endedAtMs, id: last.id };
      result = { removed: removed.map((each) => each.id), next };
      return removed.length === 0 ? null : { type: EXECUTIONS_REMOVED, data: removalData(removed, request) };
    });
    return result;
  }
}

/** Removes those that nobody needs any more. */
async function removeFree(queries: Queries, tenantId: string, batch: readonly Ended[]): Promise<readonly RemovedExecution[]> {
  if (batch.length === 0) return [];
  const rows = await queries.query<{ id: string }>(sql.HELD_EXECUTIONS, [tenantId, batch.map(({ id }) => id)]);
  const held = new Set(rows.map(({ id }) => id));
  const free = batch.filter(({ id }) => !held.has(id));
  if (free.length === 0) return [];
  for (const { id } of free) await releaseArtifacts(queries, tenantId, id);
  const labels = free.flatMap(({ id, labels }) =>
    Object.keys(JSON.parse(labels) as object).map((key) => ({ key: indexKey(key), id })),
  );
  await queries.query(sql.REMOVE_LABELS, [tenantId, labels.map(({ key }) => key), labels.map(({ id }) => id)]);
  const ids = free.map(({ id }) => id);
  await Promise.all(sql.REMOVE_EXECUTIONS.map((statement) => queries.query(statement, [tenantId, ids])));
  return free.map(({ id, seq }) => ({ id, last_seq: seq }));
}

async function record(
  queries: Queries,
  tenantId: string,
  removed: readonly RemovedExecution[],
  controlSeq: number,
): Promise<void> {
  if (removed.length === 0) return;
  const ids = removed.map(({ id }) => id);
  const lastSeqs = removed.map(({ last_seq }) => last_seq);
  await queries.query(sql.RECORD_REMOVALS, [tenantId, ids, lastSeqs, controlSeq]);
}

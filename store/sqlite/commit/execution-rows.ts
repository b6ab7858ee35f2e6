import type { Database, Statement } from 'better-sqlite3';
import { ChurnMap } from '../../churn-map.ts';
import type { ExecutionWrite } from '../../port/commit.ts';
import type { ExecutionProgress, NewExecution } from '../../port/executions.ts';
import { sealOf } from '../../snapshot-seal.ts';
import type { LogNames } from '../log/log-names.ts';
import * as sql from '../queries/executions.ts';

/** Of an execution's row: its number in the log, and the indexed columns that a step may change. */
type Head = Pick<ExecutionProgress, 'status' | 'localWork' | 'owner'> & { readonly logId: number };

const MAX_CACHED_HEADS = 20_000;

/** Writes the rows of executions and their checkpoints. */
export class ExecutionRows {
  readonly #insertRow: Statement;
  readonly #createLabels: Statement;
  readonly #head: Statement<[string], Head>;
  readonly #updateUnindexedRow: Statement;
  readonly #updateProgressRow: Statement;
  readonly #setDeadline: Statement;
  readonly #deleteCheckpoints: Statement;
  readonly #insertCheckpoint: Statement;
  readonly #names: LogNames;
  /** Signs snapshots; null = seals carry no signature. */
  readonly #key: string | Uint8Array | null;
  /** Of live executions, as this process wrote them last. Where that was rolled back, or another process has written since, an update finds nothing. */
  readonly #heads = new ChurnMap<string, Head>();

  constructor(db: Database, names: LogNames, key: string | Uint8Array | null) {
    this.#names = names;
    this.#key = key;
    this.#insertRow = db.prepare(sql.INSERT_EXECUTION);
    this.#createLabels = db.prepare(sql.CREATE_LABELS);
    this.#head = db.prepare<[string], Head>(sql.HEAD);
    this.#updateUnindexedRow = db.prepare(sql.UPDATE_UNINDEXED);
    this.#updateProgressRow = db.prepare(sql.UPDATE_EXECUTION);
    this.#setDeadline = db.prepare(sql.SET_DEADLINE);
    this.#deleteCheckpoints = db.prepare(sql.DELETE_CHECKPOINTS);
    this.#insertCheckpoint = db.prepare(sql.INSERT_CHECKPOINT);
  }

  /** The number of the execution in the log; null = it is not at the sequence that the write started from. */
  write(write: ExecutionWrite): number | null {
    const { create, checkpoint } = write;
    const logId = create === null ? this.#update(write) : this.#insert(write, create);
    if (logId !== null && checkpoint !== null) this.#writeCheckpoint(write, checkpoint);
    return logId;
  }

  #insert({ id, tenantId, progress }: ExecutionWrite, create: NewExecution): number | null {
    const { workflowId: workflow, workflowVersion: version, labels, parentId, depth, createdAtMs } = create;
    const { status, seq, steps, error, localWork, owner, updatedAtMs: at, completedAtMs: end } = progress;
    const revision = this.#names.putRevision(create.revision);
    const deadline = end === null ? create.deadlineAtMs : null;
    const { changes, lastInsertRowid } = this.#insertRow.run(
      id,
      tenantId,
      workflow,
      version,
      revision,
      labels,
      parentId,
      depth,
      deadline,
      createdAtMs,
      status,
      seq,
      steps,
      error,
      localWork,
      owner,
      at,
      end,
    );
    if (changes === 0) return null;
    const logId = Number(lastInsertRowid);
    if (create.labels !== '{}') this.#createLabels.run(tenantId, id, create.labels);
    this.#keep(id, logId, progress);
    return logId;
  }

  #update(write: ExecutionWrite): number | null {
    const { id, revive, clearsDeadline } = write;
    if (revive !== undefined || clearsDeadline === true)
      this.#setDeadline.run(revive?.deadlineAtMs ?? null, id, write.tenantId, write.fromSeq);
    const cached = this.#heads.get(id);
    if (cached !== undefined && this.#updateRow(write, cached)) return cached.logId;
    const head = this.#head.get(id);
    if (head === undefined || !this.#updateRow(write, head)) return null;
    this.#keep(id, head.logId, write.progress);
    return head.logId;
  }

  #updateRow({ id, tenantId, fromSeq, progress }: ExecutionWrite, before: Head): boolean {
    const { logId } = before;
    const { status, seq, steps, error, localWork, owner, updatedAtMs: at, completedAtMs: end } = progress;
    const isUnindexed = end === null && status === before.status && localWork === before.localWork && owner === before.owner;
    const { changes } = isUnindexed
      ? this.#updateUnindexedRow.run(seq, steps, error, at, logId, id, tenantId, fromSeq, status, localWork, owner)
      : this.#updateProgressRow.run(status, seq, steps, error, localWork, owner, at, end, end, logId, id, tenantId, fromSeq);
    if (changes === 1 && !isUnindexed) this.#keep(id, logId, progress);
    return changes === 1;
  }

  #keep(id: string, logId: number, { status, localWork, owner, completedAtMs }: ExecutionProgress): void {
    if (completedAtMs !== null) {
      this.#heads.delete(id);
      return;
    }
    if (this.#heads.size >= MAX_CACHED_HEADS) this.#heads.clear();
    this.#heads.set(id, { logId, status, localWork, owner });
  }

  #writeCheckpoint(
    { id, tenantId, progress: { seq } }: ExecutionWrite,
    { text, replacesFrom }: NonNullable<ExecutionWrite['checkpoint']>,
  ): void {
    if (replacesFrom !== null) this.#deleteCheckpoints.run(id, replacesFrom);
    if (text !== null) this.#insertCheckpoint.run(id, seq, tenantId, sealOf(this.#key, id, seq, text), text);
  }
}

import type { Database, Statement } from 'better-sqlite3';
import type { ExecutionProgress, NewExecution } from '../../port/executions.ts';
import { sealOf } from '../../snapshot-seal.ts';
import type { StoredWrite } from '../../well-formed.ts';
import * as sql from '../queries/executions.ts';

/** Writes the rows of executions and their checkpoints. */
export class ExecutionRows {
  readonly #insertRow: Statement;
  readonly #createLabels: Statement;
  readonly #updateUnindexedRow: Statement;
  readonly #updateRow: Statement;
  readonly #setDeadline: Statement;
  readonly #deleteCheckpoints: Statement;
  readonly #insertCheckpoint: Statement;
  /** Signs snapshots; null = seals carry no signature. */
  readonly #key: string | Uint8Array | null;

  constructor(db: Database, key: string | Uint8Array | null) {
    this.#key = key;
    this.#insertRow = db.prepare(sql.INSERT_EXECUTION);
    this.#createLabels = db.prepare(sql.CREATE_LABELS);
    this.#updateUnindexedRow = db.prepare(sql.UPDATE_UNINDEXED);
    this.#updateRow = db.prepare(sql.UPDATE_EXECUTION);
    this.#setDeadline = db.prepare(sql.SET_DEADLINE);
    this.#deleteCheckpoints = db.prepare(sql.DELETE_CHECKPOINTS);
    this.#insertCheckpoint = db.prepare(sql.INSERT_CHECKPOINT);
  }

  /** False = the execution is not at the sequence that the write started from. */
  write(write: StoredWrite): boolean {
    const { create, checkpoint } = write;
    if (!(create === null ? this.#update(write) : this.#insert(write, create))) return false;
    if (checkpoint !== null) this.#writeCheckpoint(write, checkpoint);
    return true;
  }

  #insert({ id, tenantId, progress }: StoredWrite, create: NewExecution): boolean {
    const { changes } = this.#insertRow.run({
      id,
      tenantId,
      ...create,
      ...progress,
      deadlineAtMs: progress.completedAtMs === null ? create.deadlineAtMs : null,
    });
    if (changes === 0) return false;
    if (create.labels !== '{}') this.#createLabels.run(tenantId, id, create.labels);
    return true;
  }

  #update(write: StoredWrite): boolean {
    const { id, tenantId, fromSeq, revive, progress } = write;
    if (revive !== undefined) this.#setDeadline.run(revive.deadlineAtMs, id, tenantId, fromSeq);
    if (progress.completedAtMs === null && this.#updateUnindexed(write)) return true;
    return this.#updateRow.run(...progressValues(progress), id, tenantId, fromSeq).changes === 1;
  }

  #updateUnindexed({ id, tenantId, fromSeq, progress }: StoredWrite): boolean {
    const { seq, steps, error, updatedAtMs, status, localWork, owner } = progress;
    const where = [id, tenantId, fromSeq, status, localWork, owner] as const;
    return this.#updateUnindexedRow.run(seq, steps, error, updatedAtMs, ...where).changes === 1;
  }

  #writeCheckpoint(
    { id, tenantId, progress: { seq } }: StoredWrite,
    { text, replacesFrom }: NonNullable<StoredWrite['checkpoint']>,
  ): void {
    if (replacesFrom !== null) this.#deleteCheckpoints.run(id, replacesFrom);
    this.#insertCheckpoint.run(id, seq, tenantId, sealOf(this.#key, id, seq, text), text);
  }
}

/** In the order of `UPDATE_EXECUTION`. */
function progressValues({ status, seq, steps, error, localWork, owner, updatedAtMs, completedAtMs }: ExecutionProgress) {
  return [status, seq, steps, error, localWork, owner, updatedAtMs, completedAtMs, completedAtMs] as const;
}

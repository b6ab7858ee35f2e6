import type { Database, Statement } from 'better-sqlite3';
import type { ExecutionProgress, NewExecution } from '../../port/executions.ts';
import { sealOf } from '../../snapshot-seal.ts';
import type { StoredWrite } from '../../well-formed.ts';
import * as sql from '../queries/executions.ts';

/** Larger checkpoints, in characters, are kept in a separate table, so that updating the row does not rewrite them. */
const INLINE_CHECKPOINT_LIMIT = 4096;

/** Writes the rows of executions and their checkpoints. */
export class ExecutionRows {
  readonly #insertRow: Statement;
  readonly #createLabels: Statement;
  readonly #updateUnindexedRow: Statement;
  readonly #updateInlineRow: Statement;
  readonly #updateProgressRow: Statement;
  readonly #setDeadline: Statement;
  readonly #putInline: Statement;
  readonly #putLarge: Statement;
  readonly #dropLarge: Statement;
  /** Signs snapshots; null = seals carry no signature. */
  readonly #key: string | Uint8Array | null;

  constructor(db: Database, key: string | Uint8Array | null) {
    this.#key = key;
    this.#insertRow = db.prepare(sql.INSERT_EXECUTION);
    this.#createLabels = db.prepare(sql.CREATE_LABELS);
    this.#updateUnindexedRow = db.prepare(sql.UPDATE_UNINDEXED);
    this.#updateInlineRow = db.prepare(sql.UPDATE_INLINE);
    this.#updateProgressRow = db.prepare(sql.UPDATE_PROGRESS);
    this.#setDeadline = db.prepare(sql.SET_DEADLINE);
    this.#putInline = db.prepare(sql.PUT_INLINE_CHECKPOINT);
    this.#putLarge = db.prepare(sql.PUT_LARGE_CHECKPOINT);
    this.#dropLarge = db.prepare(sql.DROP_LARGE_CHECKPOINT);
  }

  /** False = the execution is not at the sequence that the write started from. */
  write(write: StoredWrite): boolean {
    return write.create === null ? this.#update(write) : this.#insert(write, write.create);
  }

  #insert({ id, tenantId, progress, snapshot }: StoredWrite, create: NewExecution): boolean {
    const inline = snapshot !== null && isSmall(snapshot) ? snapshot : null;
    const { changes } = this.#insertRow.run({
      id,
      tenantId,
      ...create,
      ...progress,
      deadlineAtMs: progress.completedAtMs === null ? create.deadlineAtMs : null,
      snapshotSeq: snapshot === null ? 0 : progress.seq,
      snapshotDigest: snapshot === null ? null : sealOf(this.#key, id, progress.seq, snapshot),
      snapshot: inline,
    });
    if (changes === 0) return false;
    if (create.labels !== '{}') this.#createLabels.run(tenantId, id, create.labels);
    if (snapshot !== null && inline === null) this.#putLarge.run(id, tenantId, snapshot);
    return true;
  }

  #update(write: StoredWrite): boolean {
    const { snapshot, revive } = write;
    if (revive !== undefined) this.#setDeadline.run(revive.deadlineAtMs, write.id, write.tenantId, write.fromSeq);
    const seal = snapshot === null ? '' : sealOf(this.#key, write.id, write.progress.seq, snapshot);
    if (snapshot !== null && isSmall(snapshot)) {
      if (write.progress.completedAtMs === null && this.#updateUnindexed(write, snapshot, seal)) return true;
      if (this.#updateInline(write, snapshot, seal)) return true;
    }
    if (!this.#updateProgress(write)) return false;
    if (snapshot !== null) this.#replaceCheckpoint(write, snapshot, seal);
    return true;
  }

  #updateUnindexed({ id, tenantId, fromSeq, progress }: StoredWrite, snapshot: string, seal: string): boolean {
    const { seq, steps, error, updatedAtMs: at, status, localWork, owner } = progress;
    const moved = [seq, steps, error, at, seq, seal, snapshot] as const;
    const { changes } = this.#updateUnindexedRow.run(...moved, id, tenantId, fromSeq, status, localWork, owner);
    return changes === 1;
  }

  #updateInline({ id, tenantId, fromSeq, progress }: StoredWrite, snapshot: string, seal: string): boolean {
    const { seq } = progress;
    return this.#updateInlineRow.run(...progressValues(progress), seq, seal, snapshot, id, tenantId, fromSeq).changes === 1;
  }

  #updateProgress({ id, tenantId, fromSeq, progress }: StoredWrite): boolean {
    return this.#updateProgressRow.run(...progressValues(progress), id, tenantId, fromSeq).changes === 1;
  }

  #replaceCheckpoint({ id, tenantId, progress }: StoredWrite, snapshot: string, seal: string): void {
    if (isSmall(snapshot)) {
      this.#putInline.run(progress.seq, seal, snapshot, id);
      this.#dropLarge.run(id);
    } else {
      this.#putInline.run(progress.seq, seal, null, id);
      this.#putLarge.run(id, tenantId, snapshot);
    }
  }
}

/** In the order of `PROGRESS`. */
function progressValues({ status, seq, steps, error, localWork, owner, updatedAtMs, completedAtMs }: ExecutionProgress) {
  return [status, seq, steps, error, localWork, owner, updatedAtMs, completedAtMs, completedAtMs] as const;
}

function isSmall(snapshot: string): boolean {
  return snapshot.length <= INLINE_CHECKPOINT_LIMIT;
}

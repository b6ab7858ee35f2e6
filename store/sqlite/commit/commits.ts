import type { Database, Statement } from 'better-sqlite3';
import { digestWrite, type StreamDigest } from '../../audit/digest.ts';
import { checkSequences } from '../../check-sequences.ts';
import type { Batch, CommitRejection, CommitUnit } from '../../port/commit.ts';
import type { IdempotencyRow } from '../../port/executions.ts';
import { type StoredWrite, wellFormedWrite } from '../../well-formed.ts';
import type { AuditChain } from '../audit/chain.ts';
import { PUT_IDEMPOTENCY } from '../queries/control.ts';
import type { Transactions } from '../transactions.ts';
import { OffloadedArtifacts } from './artifacts.ts';
import { Effects } from './effects.ts';
import { EventLog } from './event-log.ts';
import { ExecutionRows } from './execution-rows.ts';

/** Writes batches: the only way an execution changes. */
export class Commits {
  readonly #transactions: Transactions;
  readonly #audit: AuditChain;
  readonly #rows: ExecutionRows;
  readonly #log: EventLog;
  readonly #effects: Effects;
  readonly #artifacts: OffloadedArtifacts;
  readonly #putIdempotency: Statement;

  constructor(db: Database, transactions: Transactions, audit: AuditChain, key: string | Uint8Array | null) {
    this.#transactions = transactions;
    this.#audit = audit;
    this.#rows = new ExecutionRows(db, key);
    this.#log = new EventLog(db);
    this.#effects = new Effects(db);
    this.#artifacts = new OffloadedArtifacts(db);
    this.#putIdempotency = db.prepare(PUT_IDEMPOTENCY);
  }

  /** Tries the whole batch first, without savepoints, which would cost time for every unit. After a rejection, which is rare, commits unit by unit. */
  commit(batch: Batch): readonly (CommitRejection | null)[] {
    return this.#allOrNothing(batch) ?? this.#unitByUnit(batch);
  }

  #allOrNothing(batch: Batch): readonly null[] | null {
    return this.#transactions.write(() => {
      const streams: StreamDigest[] = [];
      for (const unit of batch.units) {
        if (this.#apply(unit, batch.atMs, streams) !== null) return { commit: false, result: null };
      }
      if (streams.length > 0) this.#audit.closeBlock(batch.atMs, streams);
      return { commit: true, result: batch.units.map(() => null) };
    });
  }

  #unitByUnit(batch: Batch): readonly (CommitRejection | null)[] {
    return this.#transactions.write(() => {
      const streams: StreamDigest[] = [];
      const rejections = batch.units.map((unit) =>
        this.#transactions.savepoint(() => {
          const touched: StreamDigest[] = [];
          const rejection = this.#apply(unit, batch.atMs, touched);
          if (rejection === null) streams.push(...touched);
          return { commit: rejection === null, result: rejection };
        }),
      );
      if (streams.length > 0) this.#audit.closeBlock(batch.atMs, streams);
      return { commit: true, result: rejections };
    });
  }

  #apply(unit: CommitUnit, atMs: number, streams: StreamDigest[]): CommitRejection | null {
    if (unit.idempotency !== null && !this.#putIdempotencyRow(unit.idempotency))
      return { reason: 'idempotency', executionId: null };
    for (const each of unit.executions) {
      const write = wellFormedWrite(each);
      const reason = this.#applyWrite(write, atMs);
      if (reason !== null) return { reason, executionId: write.id };
      if (write.events.length > 0) streams.push(digestWrite(write));
    }
    return null;
  }

  #applyWrite(write: StoredWrite, atMs: number): CommitRejection['reason'] | null {
    checkSequences(write);
    if (!this.#rows.write(write)) return 'sequence';
    this.#log.append(write);
    if (write.offloaded !== undefined) this.#artifacts.write(write);
    return this.#effects.apply(write, atMs);
  }

  #putIdempotencyRow(row: IdempotencyRow): boolean {
    const { tenantId, scope, key, requestHash, response, createdAtMs } = row;
    return this.#putIdempotency.run(tenantId, scope, key, requestHash, response, createdAtMs).changes === 1;
  }
}

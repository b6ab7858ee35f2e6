import type { Database, Statement } from 'better-sqlite3';
import { digestWrite, type StreamDigest } from '../../digest.ts';
import { checkSequences } from '../../gapless.ts';
import type { IdempotencyRow } from '../../rows.ts';
import { wellFormedWrite } from '../../well-formed.ts';
import type { Batch, ExecutionWrite, Refusal, Unit } from '../../writes.ts';
import type { AuditChain } from '../audit/chain.ts';
import { REMEMBER } from '../queries/control.ts';
import { ArtifactTables } from '../resources/artifacts.ts';
import type { Transactions } from '../transactions.ts';
import { Effects } from './effects.ts';
import { EventLog } from './event-log.ts';
import { Heads } from './heads.ts';

/** Writes batches: the only way an execution changes. */
export class Commits {
  readonly #transactions: Transactions;
  readonly #audit: AuditChain;
  readonly #heads: Heads;
  readonly #log: EventLog;
  readonly #effects: Effects;
  readonly #artifacts: ArtifactTables;
  readonly #remember: Statement;

  constructor(db: Database, transactions: Transactions, audit: AuditChain, key: string | Uint8Array | null) {
    this.#transactions = transactions;
    this.#audit = audit;
    this.#heads = new Heads(db, key);
    this.#log = new EventLog(db);
    this.#effects = new Effects(db);
    this.#artifacts = new ArtifactTables(db);
    this.#remember = db.prepare(REMEMBER);
  }

  /** First without savepoints, which cost on every unit; a refusal, which is rare, undoes that and goes unit by unit. */
  commit(batch: Batch): readonly (Refusal | null)[] {
    return this.#allOrNothing(batch) ?? this.#unitByUnit(batch);
  }

  #allOrNothing(batch: Batch): readonly null[] | null {
    return this.#transactions.write(() => {
      const streams: StreamDigest[] = [];
      for (const unit of batch.units) {
        if (this.#apply(unit, batch.atMs, streams) !== null) return { keep: false, result: null };
      }
      if (streams.length > 0) this.#audit.closeBlock(batch.atMs, streams);
      return { keep: true, result: batch.units.map(() => null) };
    });
  }

  #unitByUnit(batch: Batch): readonly (Refusal | null)[] {
    return this.#transactions.write(() => {
      const streams: StreamDigest[] = [];
      const refusals = batch.units.map((unit) =>
        this.#transactions.savepoint(() => {
          const touched: StreamDigest[] = [];
          const refusal = this.#apply(unit, batch.atMs, touched);
          if (refusal === null) streams.push(...touched);
          return { keep: refusal === null, result: refusal };
        }),
      );
      if (streams.length > 0) this.#audit.closeBlock(batch.atMs, streams);
      return { keep: true, result: refusals };
    });
  }

  #apply(unit: Unit, atMs: number, streams: StreamDigest[]): Refusal | null {
    if (unit.idempotency !== null && !this.#rememberRequest(unit.idempotency))
      return { reason: 'idempotency', executionId: null };
    for (const each of unit.executions) {
      const write = wellFormedWrite(each);
      const reason = this.#applyWrite(write, atMs);
      if (reason !== null) return { reason, executionId: write.id };
      if (write.events.length > 0) streams.push(digestWrite(write));
    }
    return null;
  }

  #applyWrite(write: ExecutionWrite, atMs: number): Refusal['reason'] | null {
    checkSequences(write);
    if (!this.#heads.write(write)) return 'sequence';
    this.#log.append(write);
    if (write.spilled !== undefined) this.#artifacts.spill(write);
    return this.#effects.apply(write, atMs);
  }

  #rememberRequest(row: IdempotencyRow): boolean {
    const { tenantId, scope, key, requestHash, status, response, createdAtMs } = row;
    return this.#remember.run(tenantId, scope, key, requestHash, status, response, createdAtMs).changes === 1;
  }
}

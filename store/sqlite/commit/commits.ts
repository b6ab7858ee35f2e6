import type { Database, Statement } from 'better-sqlite3';
import { digestEntries, type StreamDigest } from '../../audit/digest.ts';
import { encodeEntries } from '../../log/encode.ts';
import type { Batch, CommitRejection, CommitUnit, ExecutionWrite } from '../../port/commit.ts';
import type { IdempotencyRow } from '../../port/executions.ts';
import type { KeyWrite } from '../../port/resources/keys.ts';
import type { ThreadTurn } from '../../port/resources/threads.ts';
import { writeKey } from '../../resources/keys.ts';
import { appendTurn } from '../../resources/threads/writes.ts';
import { checkSequences, wellFormedExecution } from '../../well-formed.ts';
import type { AuditChain } from '../audit/chain.ts';
import type { LogNames } from '../log/log-names.ts';
import { PUT_IDEMPOTENCY } from '../queries/control.ts';
import { APPEND_ENTRY } from '../queries/log.ts';
import type { SqliteResources } from '../resource-database.ts';
import type { Transactions } from '../transactions.ts';
import { ApprovalRows } from './approvals.ts';
import { OffloadedArtifacts } from './artifacts.ts';
import { Effects } from './effects.ts';
import { ExecutionRows } from './execution-rows.ts';
import { Redactions } from './redactions.ts';

interface CommitParts {
  readonly audit: AuditChain;
  readonly names: LogNames;
  /** Runs the scripts of resources that a commit changes. */
  readonly resources: SqliteResources;
  readonly key: string | Uint8Array | null;
}

/** Writes batches: the only way an execution changes. */
export class Commits {
  readonly #transactions: Transactions;
  readonly #audit: AuditChain;
  readonly #resources: SqliteResources;
  readonly #rows: ExecutionRows;
  readonly #names: LogNames;
  readonly #effects: Effects;
  readonly #approvals: ApprovalRows;
  readonly #artifacts: OffloadedArtifacts;
  readonly #redactions: Redactions;
  readonly #appendEntry: Statement;
  readonly #putIdempotency: Statement;

  constructor(db: Database, transactions: Transactions, { audit, names, resources, key }: CommitParts) {
    this.#transactions = transactions;
    this.#audit = audit;
    this.#resources = resources;
    this.#rows = new ExecutionRows(db, names, key);
    this.#names = names;
    this.#appendEntry = db.prepare(APPEND_ENTRY);
    this.#effects = new Effects(db);
    this.#approvals = new ApprovalRows(db);
    this.#artifacts = new OffloadedArtifacts(db);
    this.#redactions = new Redactions(db);
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
      const write = each.create === null ? each : { ...each, create: wellFormedExecution(each.create) };
      const reason = this.#applyWrite(write, atMs, streams);
      if (reason !== null) return { reason, executionId: write.id };
    }
    return null;
  }

  #applyWrite(write: ExecutionWrite, atMs: number, streams: StreamDigest[]): CommitRejection['reason'] | null {
    checkSequences(write);
    const logId = this.#rows.write(write);
    if (logId === null) return 'sequence';
    if (write.events.length > 0) streams.push(this.#append(write, logId));
    if (write.approvals !== undefined) this.#approvals.write(write);
    if (write.offloaded !== undefined) this.#artifacts.write(write);
    if (write.redaction !== undefined) this.#redactions.write(write);
    const reason = this.#effects.apply(write, atMs);
    if (reason !== null) return reason;
    if (write.keys !== undefined && !this.#writeKeys(write, write.keys)) return 'key';
    return write.threads === undefined ? null : this.#appendTurns(write, write.threads, atMs);
  }

  #writeKeys({ id, tenantId }: ExecutionWrite, keys: readonly KeyWrite[]): boolean {
    return keys.every((key) => this.#resources.within(writeKey(key, { tenantId, executionId: id })));
  }

  #appendTurns({ id, tenantId }: ExecutionWrite, turns: readonly ThreadTurn[], atMs: number): 'thread' | null {
    const isAppended = (turn: ThreadTurn): boolean =>
      this.#resources.within(appendTurn(turn, { tenantId, executionId: id, atMs }));
    return turns.every(isAppended) ? null : 'thread';
  }

  #append({ id, tenantId, fromSeq, create, progress, events }: ExecutionWrite, logId: number): StreamDigest {
    const entries = encodeEntries(events);
    const tenant = this.#names.putTenant(tenantId);
    for (const entry of entries) {
      const { seq, events: count, atMs, request, body } = entry;
      this.#appendEntry.run(count, logId, seq, count, tenant, atMs, this.#names.putActor(entry), request, body);
    }
    const range = { tenantId, executionId: id, firstSeq: fromSeq + 1, lastSeq: progress.seq };
    // A key after a spread would make a new hidden class at each call in Node 20.
    return { digest: digestEntries(range, create, entries), ...range };
  }

  #putIdempotencyRow(row: IdempotencyRow): boolean {
    const { tenantId, scope, key, requestHash, response, createdAtMs, executionId } = row;
    return this.#putIdempotency.run(tenantId, scope, key, requestHash, response, createdAtMs, executionId).changes === 1;
  }
}

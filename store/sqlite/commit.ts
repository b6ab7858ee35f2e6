import type { Database, Statement } from 'better-sqlite3';
import { digestStream, type StreamDigest, sameContext } from '../digest.ts';
import type { Batch, EventRow, ExecutionWrite, IdempotencyRow, Refusal, TimerWrite, Unit, WorkWrite } from '../store.ts';
import { wellFormedEvents, wellFormedExecution } from '../well-formed.ts';
import type { AuditChain } from './audit.ts';
import * as sql from './queries.ts';
import type { Transactions } from './transactions.ts';

/** Larger checkpoints live in a table of their own. */
const INLINE_CHECKPOINT_LIMIT = 4096;
/** Events per statement; a longer run takes several. */
const EVENTS_PER_STATEMENT = 8;

/** Writes batches: the only way an execution changes. */
export class Commits {
  readonly #transactions: Transactions;
  readonly #audit: AuditChain;
  readonly #create: Statement;
  readonly #advance: Statement;
  readonly #move: Statement;
  readonly #moveHead: Statement;
  readonly #putInline: Statement;
  readonly #putLarge: Statement;
  readonly #dropLarge: Statement;
  readonly #append: readonly Statement[];
  readonly #remember: Statement;
  readonly #setTimer: Statement;
  readonly #clearTimer: Statement;
  readonly #fireTimer: Statement;
  readonly #putWork: Statement;
  readonly #settleWork: Statement;
  readonly #settleClaimedWork: Statement;
  readonly #cancelWork: Statement;
  readonly #send: Statement;
  readonly #consume: Statement;

  constructor(db: Database, transactions: Transactions, audit: AuditChain) {
    this.#transactions = transactions;
    this.#audit = audit;
    this.#create = db.prepare(sql.CREATE_EXECUTION);
    this.#advance = db.prepare(sql.ADVANCE);
    this.#move = db.prepare(sql.MOVE);
    this.#moveHead = db.prepare(sql.MOVE_HEAD);
    this.#putInline = db.prepare(sql.PUT_INLINE_CHECKPOINT);
    this.#putLarge = db.prepare(sql.PUT_LARGE_CHECKPOINT);
    this.#dropLarge = db.prepare(sql.DROP_LARGE_CHECKPOINT);
    this.#append = Array.from({ length: EVENTS_PER_STATEMENT }, (_, index) => db.prepare(sql.appendEvents(index + 1)));
    this.#remember = db.prepare(sql.REMEMBER);
    this.#setTimer = db.prepare(sql.SET_TIMER);
    this.#clearTimer = db.prepare(sql.CLEAR_TIMER);
    this.#fireTimer = db.prepare(sql.FIRE_TIMER);
    this.#putWork = db.prepare(sql.PUT_WORK);
    this.#settleWork = db.prepare(sql.SETTLE_WORK);
    this.#settleClaimedWork = db.prepare(sql.SETTLE_CLAIMED_WORK);
    this.#cancelWork = db.prepare(sql.CANCEL_WORK);
    this.#send = db.prepare(sql.SEND);
    this.#consume = db.prepare(sql.CONSUME);
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
    if (!(write.create === null ? this.#step(write) : this.#begin(write))) return 'sequence';
    this.#appendEvents(write);
    for (const timer of write.timers) if (!this.#applyTimer(write, timer)) return 'timer';
    for (const work of write.work) if (!this.#applyWork(write, work, atMs)) return 'work';
    for (const id of write.consumed) if (this.#consume.run(id).changes === 0) return 'inbox';
    for (const message of write.send) this.#send.run(write.tenantId, message.toExecutionId, message.message);
    return null;
  }

  #begin(write: ExecutionWrite): boolean {
    const { id, tenantId, create, head, snapshot } = write;
    if (create === null) return false;
    const deadlineAtMs = head.completedAtMs === null ? create.deadlineAtMs : null;
    const inline = snapshot !== null && snapshot.length <= INLINE_CHECKPOINT_LIMIT ? snapshot : null;
    const { changes } = this.#create.run(
      id,
      tenantId,
      create.workflowId,
      create.workflowVersion,
      create.revision,
      create.labels,
      create.parentId,
      create.depth,
      deadlineAtMs,
      create.createdAtMs,
      head.status,
      head.seq,
      head.steps,
      head.error,
      head.localWork,
      head.owner,
      head.updatedAtMs,
      head.completedAtMs,
      snapshot === null ? 0 : head.seq,
      inline,
    );
    if (changes === 0) return false;
    if (snapshot !== null && inline === null) this.#putLarge.run(id, tenantId, snapshot);
    return true;
  }

  #step(write: ExecutionWrite): boolean {
    const { snapshot } = write;
    if (snapshot !== null && snapshot.length <= INLINE_CHECKPOINT_LIMIT) {
      if (write.head.completedAtMs === null && this.#advanceInline(write, snapshot)) return true;
      if (this.#moveInline(write, snapshot)) return true;
    }
    if (!this.#moveApart(write)) return false;
    if (snapshot !== null) this.#replaceCheckpoint(write, snapshot);
    return true;
  }

  #advanceInline({ id, tenantId, fromSeq, head }: ExecutionWrite, snapshot: string): boolean {
    const { seq, steps, error, updatedAtMs, status, localWork, owner } = head;
    return (
      this.#advance.run(seq, steps, error, updatedAtMs, seq, snapshot, id, tenantId, fromSeq, status, localWork, owner)
        .changes === 1
    );
  }

  #moveInline({ id, tenantId, fromSeq, head }: ExecutionWrite, snapshot: string): boolean {
    const { status, seq, steps, error, localWork, owner, updatedAtMs: at, completedAtMs: end } = head;
    return (
      this.#move.run(status, seq, steps, error, localWork, owner, at, end, end, seq, snapshot, id, tenantId, fromSeq).changes ===
      1
    );
  }

  #moveApart({ id, tenantId, fromSeq, head }: ExecutionWrite): boolean {
    const { status, seq, steps, error, localWork, owner, updatedAtMs: at, completedAtMs: end } = head;
    return this.#moveHead.run(status, seq, steps, error, localWork, owner, at, end, end, id, tenantId, fromSeq).changes === 1;
  }

  #replaceCheckpoint({ id, tenantId, head }: ExecutionWrite, snapshot: string): void {
    if (snapshot.length <= INLINE_CHECKPOINT_LIMIT) {
      this.#putInline.run(head.seq, snapshot, id);
      this.#dropLarge.run(id);
    } else {
      this.#putInline.run(head.seq, null, id);
      this.#putLarge.run(id, tenantId, snapshot);
    }
  }

  #appendEvents({ id, tenantId, events }: ExecutionWrite): void {
    let run: EventRow[] = [];
    for (const event of events) {
      const [first] = run;
      if (first !== undefined && (run.length === EVENTS_PER_STATEMENT || !sameContext(first, event))) {
        this.#appendRun(id, tenantId, run);
        run = [];
      }
      run.push(event);
    }
    this.#appendRun(id, tenantId, run);
  }

  /** Events that share time, actor and request, at most as many as one statement takes. */
  #appendRun(id: string, tenantId: string, run: readonly EventRow[]): void {
    const [first] = run;
    if (first === undefined) return;
    const values: (string | number | null)[] = [id, tenantId, first.atMs, first.actorId, first.actorType, first.request];
    for (const event of run) values.push(event.seq, event.type, event.nodeId, event.data);
    this.#append[run.length - 1]?.run(...values);
  }

  #applyTimer(write: ExecutionWrite, timer: TimerWrite): boolean {
    switch (timer.op) {
      case 'set':
        this.#setTimer.run(write.id, timer.id, write.tenantId, timer.nodeId, timer.atMs, timer.armedSeq);
        return true;
      case 'clear':
        this.#clearTimer.run(write.id, timer.id);
        return true;
      case 'fire':
        return this.#fireTimer.run(write.id, timer.id, timer.armedSeq).changes === 1;
    }
  }

  #applyWork(write: ExecutionWrite, work: WorkWrite, atMs: number): boolean {
    switch (work.op) {
      case 'put': {
        const { id, nodeId, activation, attempt, maxAttempts, queue, timeoutMs, createdAtMs, payload } = work.item;
        this.#putWork.run(
          id,
          write.tenantId,
          write.id,
          nodeId,
          activation,
          attempt,
          maxAttempts,
          queue,
          timeoutMs,
          createdAtMs,
          payload,
        );
        return true;
      }
      case 'settle':
        return work.fence === null
          ? this.#settleWork.run(work.status, atMs, work.id, write.id).changes === 1
          : this.#settleClaimedWork.run(work.status, atMs, work.id, write.id, work.fence).changes === 1;
      case 'cancel':
        this.#cancelWork.run(atMs, write.id, work.nodeId, work.activation);
        return true;
    }
  }

  #rememberRequest(row: IdempotencyRow): boolean {
    const { tenantId, scope, key, requestHash, status, response, createdAtMs } = row;
    return this.#remember.run(tenantId, scope, key, requestHash, status, response, createdAtMs).changes === 1;
  }
}

function wellFormedWrite(write: ExecutionWrite): ExecutionWrite {
  const events = wellFormedEvents(write.events);
  if (write.create !== null) return { ...write, events, create: wellFormedExecution(write.create) };
  return events === write.events ? write : { ...write, events };
}

/** A gap would be for ever: better no commit at all. */
function checkSequences({ id, fromSeq, create, head, events }: ExecutionWrite): void {
  const gapless = events.every((event: EventRow, index) => event.seq === fromSeq + 1 + index);
  if (!gapless || head.seq !== fromSeq + events.length || (create === null) !== fromSeq > 0) {
    throw new Error(`execution ${id}: events ${events.map((event) => event.seq)} do not lead from ${fromSeq} to ${head.seq}`);
  }
}

function digestWrite({ id, tenantId, fromSeq, head, create, events }: ExecutionWrite): StreamDigest {
  const range = { tenantId, executionId: id, firstSeq: fromSeq + 1, lastSeq: head.seq };
  return { ...range, digest: digestStream(range, create, events) };
}

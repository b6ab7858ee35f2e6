import type { Database, Statement } from 'better-sqlite3';
import type { CommitRejection, ExecutionWrite, TimerWrite, WorkWrite } from '../../port/commit.ts';
import type { NewWorkItem } from '../../port/work-items.ts';
import { ADD_TENANT_USAGE } from '../queries/commit.ts';
import * as logSql from '../queries/log.ts';
import * as workSql from '../queries/work.ts';

/** Writes the effects of a step: timers, work items, messages to other executions, usage. */
export class Effects {
  readonly #setTimer: Statement;
  readonly #clearTimer: Statement;
  readonly #fireTimer: Statement;
  readonly #putWork: Statement;
  readonly #settleWork: Statement;
  readonly #settleClaimedWork: Statement;
  readonly #heldWork: Statement;
  readonly #cancelWork: Statement;
  readonly #send: Statement;
  readonly #consume: Statement;
  readonly #addUsage: Statement;

  constructor(db: Database) {
    this.#setTimer = db.prepare(logSql.SET_TIMER);
    this.#clearTimer = db.prepare(logSql.CLEAR_TIMER);
    this.#fireTimer = db.prepare(logSql.FIRE_TIMER);
    this.#putWork = db.prepare(workSql.PUT_WORK);
    this.#settleWork = db.prepare(workSql.SETTLE_WORK);
    this.#settleClaimedWork = db.prepare(workSql.SETTLE_CLAIMED_WORK);
    this.#heldWork = db.prepare(workSql.HELD_WORK);
    this.#cancelWork = db.prepare(workSql.CANCEL_WORK);
    this.#send = db.prepare(logSql.SEND);
    this.#consume = db.prepare(logSql.CONSUME);
    this.#addUsage = db.prepare(ADD_TENANT_USAGE);
  }

  /** Null = all applied; otherwise the reason for rejecting the write. */
  apply(write: ExecutionWrite, atMs: number): CommitRejection['reason'] | null {
    for (const timer of write.timers) if (!this.#applyTimer(write, timer)) return 'timer';
    for (const work of write.work) if (!this.#applyWork(write, work, atMs)) return 'work';
    for (const id of write.consumed) if (this.#consume.run(id).changes === 0) return 'inbox';
    for (const message of write.send) this.#send.run(write.tenantId, message.toExecutionId, message.message);
    const { usage } = write;
    if (usage !== null) this.#addUsage.run(write.tenantId, usage.month, usage.tokens, usage.costUsd);
    return null;
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
      case 'put':
        this.#put(write, work.item);
        return true;
      case 'settle':
        return work.fence === null
          ? this.#settleWork.run(work.status, atMs, work.id, write.id).changes === 1
          : this.#settleClaimedWork.run(work.status, atMs, work.id, write.id, work.fence).changes === 1;
      case 'hold':
        return this.#heldWork.get(work.id, write.id, work.fence) !== undefined;
      case 'cancel':
        this.#cancelWork.run(atMs, write.id, work.nodeId, work.activation, work.item);
        return true;
    }
  }

  /** Bound by position: a wide fan-out puts thousands, and names would take as long again. */
  #put({ id: execution, tenantId }: ExecutionWrite, item: NewWorkItem): void {
    const {
      id,
      nodeId,
      activation,
      attempt,
      item: part,
      maxAttempts: most,
      queue,
      tool,
      timeoutMs: timeout,
      createdAtMs: at,
      payload,
    } = item;
    this.#putWork.run(id, tenantId, execution, nodeId, activation, attempt, part, most, queue, tool, timeout, at, payload);
  }
}

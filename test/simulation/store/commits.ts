import { decodeStored } from '../../../store/log/decode.ts';
import { encodeEntries } from '../../../store/log/encode.ts';
import type { Batch, CommitRejection, CommitUnit, ExecutionWrite, TimerWrite, WorkWrite } from '../../../store/port/commit.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import type { ApprovalRow } from '../../../store/port/resources/approvals.ts';
import { checkSequences, wellFormedExecution } from '../../../store/well-formed.ts';
import { key, type StoredExecution, type StoredItem, type Tables } from './tables.ts';
import { UndoLog } from './undo-log.ts';

/** Applies batches to the tables, as the port specifies: each write atomically, the batch in one transaction. */
export class Commits {
  readonly #tables: Tables;
  readonly #undoLog = new UndoLog();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Throws if nothing was applied. */
  commit(batch: Batch): { readonly refusals: readonly (CommitRejection | null)[]; readonly writes: readonly ExecutionWrite[] } {
    const writes: ExecutionWrite[] = [];
    try {
      const refusals = batch.units.map((unit) => {
        const mark = this.#undoLog.position;
        const refusal = this.#apply(unit);
        if (refusal === null) writes.push(...unit.executions);
        else this.#undoLog.undoTo(mark);
        return refusal;
      });
      if (writes.some(({ events }) => events.length > 0)) this.#tables.blocks += 1;
      return { refusals, writes };
    } catch (error) {
      this.#undoLog.undoTo(0);
      throw error;
    } finally {
      this.#undoLog.clear();
    }
  }

  #apply({ idempotency, executions }: CommitUnit): CommitRejection | null {
    if (idempotency !== null) {
      const name = key(idempotency.tenantId, idempotency.scope, idempotency.key);
      if (this.#tables.idempotency.has(name)) return { reason: 'idempotency', executionId: null };
      this.#undoLog.set(this.#tables.idempotency, name, idempotency);
    }
    for (const write of executions) {
      const reason = this.#write(write);
      if (reason !== null) return { reason, executionId: write.id };
    }
    return null;
  }

  #write(write: ExecutionWrite): CommitRejection['reason'] | null {
    checkSequences(write);
    const { id, tenantId, fromSeq, create, revive, clearsDeadline, progress: head, checkpoint, events } = write;
    const before = this.#tables.executions.get(id);
    let row: ExecutionRow;
    if (create !== null) {
      if (before !== undefined) return 'sequence';
      row = { ...wellFormedExecution(create), ...head, id, tenantId };
    } else {
      if (before === undefined || before.row.tenantId !== tenantId || before.row.seq !== fromSeq) return 'sequence';
      const setsDeadline = revive !== undefined || clearsDeadline === true;
      const deadline = setsDeadline ? { deadlineAtMs: revive?.deadlineAtMs ?? null } : {};
      row = { ...before.row, ...deadline, ...head };
    }
    if (head.completedAtMs !== null) row = { ...row, deadlineAtMs: null };
    this.#undoLog.set(this.#tables.executions, id, {
      row,
      checkpoints: checkpointsAfter(before?.checkpoints ?? [], head.seq, checkpoint),
      // As they come back from the engines' tables.
      events: [...(before?.events ?? []), ...encodeEntries(events).flatMap(decodeStored)],
    });
    for (const artifact of write.offloaded ?? []) {
      const name = key(tenantId, artifact.hash);
      if (!this.#tables.artifacts.has(name)) this.#undoLog.set(this.#tables.artifacts, name, artifact);
    }
    for (const { op, ...approval } of write.approvals ?? []) {
      const name = key(id, approval.seq);
      if (op === 'put')
        this.#undoLog.set(this.#tables.approvals, name, { ...(approval as ApprovalRow), tenantId, executionId: id });
      else this.#undoLog.delete(this.#tables.approvals, name);
    }
    for (const original of write.redaction?.originals ?? [])
      this.#undoLog.set(this.#tables.originals, key(id, original.seq), { ...original, executionId: id });
    if (write.redaction?.ended) this.#undoLog.set(this.#tables.erasures, id, { executionId: id, tenantId, erasedAtMs: null });
    return this.#effects(write);
  }

  #effects(write: ExecutionWrite): CommitRejection['reason'] | null {
    const { tenantId, usage } = write;
    for (const timer of write.timers) if (!this.#timer(write, timer)) return 'timer';
    for (const work of write.work) if (!this.#work(write, work)) return 'work';
    for (const id of write.consumed) if (!this.#undoLog.delete(this.#tables.inbox, id)) return 'inbox';
    for (const { toExecutionId, message } of write.send) {
      const id = ++this.#tables.lastMessage;
      this.#undoLog.set(this.#tables.inbox, id, { id, tenantId, toExecutionId, message });
    }
    if (usage !== null) {
      const name = key(tenantId, usage.month);
      const { tokens, costUsd } = this.#tables.usage.get(name) ?? { tokens: 0, costUsd: 0 };
      this.#undoLog.set(this.#tables.usage, name, { tokens: tokens + usage.tokens, costUsd: costUsd + usage.costUsd });
    }
    return null;
  }

  #timer({ id: executionId, tenantId }: ExecutionWrite, timer: TimerWrite): boolean {
    const { timers } = this.#tables;
    const name = key(executionId, timer.id);
    switch (timer.op) {
      case 'set': {
        const { id, nodeId, atMs, armedSeq } = timer;
        this.#undoLog.set(timers, name, { tenantId, executionId, id, nodeId, atMs, armedSeq });
        return true;
      }
      case 'clear':
        this.#undoLog.delete(timers, name);
        return true;
      case 'fire':
        return timers.get(name)?.armedSeq === timer.armedSeq && this.#undoLog.delete(timers, name);
    }
  }

  #work({ id: executionId, tenantId }: ExecutionWrite, work: WorkWrite): boolean {
    const { items } = this.#tables;
    switch (work.op) {
      case 'put':
        this.#undoLog.set(items, work.item.id, {
          ...work.item,
          tenantId,
          executionId,
          position: ++this.#tables.lastPosition,
          status: 'pending',
          workerId: null,
          fence: 0,
          leaseExpiresAtMs: null,
          deadlineAtMs: null,
          claimedAtMs: null,
        });
        return true;
      case 'settle': {
        const item = items.get(work.id);
        if (item === undefined || item.executionId !== executionId || !isOpen(item)) return false;
        if (work.fence !== null && (item.status !== 'claimed' || item.fence !== work.fence)) return false;
        this.#undoLog.set(items, item.id, { ...item, status: work.status, payload: '{}' });
        return true;
      }
      case 'hold': {
        const item = items.get(work.id);
        return item?.executionId === executionId && item.status === 'claimed' && item.fence === work.fence;
      }
      case 'cancel':
        for (const item of items.values()) {
          const isOfVisit = item.nodeId === work.nodeId && item.activation === work.activation && item.item === work.item;
          if (item.executionId === executionId && isOfVisit && isOpen(item))
            this.#undoLog.set(items, item.id, { ...item, status: 'cancelled', payload: '{}' });
        }
        return true;
    }
  }
}

function checkpointsAfter(
  before: StoredExecution['checkpoints'],
  seq: number,
  written: ExecutionWrite['checkpoint'],
): StoredExecution['checkpoints'] {
  if (written === null) return before;
  const { text, replacesFrom } = written;
  const kept = before.filter((each) => replacesFrom === null || each.seq < replacesFrom);
  return text === null ? kept : [...kept, { text, seq }];
}

export function isOpen({ status }: Pick<StoredItem, 'status'>): boolean {
  return status === 'pending' || status === 'claimed';
}

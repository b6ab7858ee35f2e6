import type { Message } from '../../../machines/messages.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { Due } from '../../../store/port/work-items.ts';
import { visitOf } from '../activities/external/external-work.ts';
import type { Clock } from '../clock.ts';
import type { MessageOutcome, Preconditions } from '../engine/envelope.ts';
import { DeadlineTimer } from './deadline-timer.ts';

const DUE_PAGE = 500;
/** The largest page: what is due and cannot be done here must not hide the rest for ever. */
const MAX_PAGE = 64_000;
/** When to look again at due rows whose executions cannot be stepped. */
const STUCK_RETRY_MS = 60_000;
const TAKE_OVER_AFTER_MS = 2_000;
/** When to look again at more than a page of what other runtimes are about to do. */
const CROWDED_MS = 100;

export interface TimerQueueOptions {
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly shouldProcess: (executionId: string) => boolean;
  /** Is this the runtime to deliver what falls due for an execution, of those that are there? */
  readonly isMine: (executionId: string) => boolean;
  /** Delivers whatever the store does meanwhile; null = given up. */
  readonly deliver: (executionId: string, message: Message, conditions: Preconditions) => Promise<MessageOutcome | null>;
  readonly insist: <T>(attempt: () => Promise<T>) => Promise<T | null>;
}

/** Everything durable that falls due: timers, leases, work deadlines, workflow timeouts. One alarm, no polling. */
export class TimerQueue {
  readonly #options: TimerQueueOptions;
  readonly #timer: DeadlineTimer;
  /** What has been handed on, and was neither taken nor refused yet. */
  readonly #delivering = new Set<string>();
  #ringing = false;
  #again = false;
  #stopped = false;

  constructor(options: TimerQueueOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => void this.poll());
  }

  scheduleAt(atMs: number | null): void {
    this.#timer.scheduleAt(atMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.stop();
  }

  /** Delivers all that is due and sets the alarm for the next. */
  async poll(): Promise<void> {
    if (this.#ringing) {
      this.#again = true;
      return;
    }
    this.#ringing = true;
    do {
      this.#again = false;
      await this.#options.insist(() => this.#deliverDue());
    } while (this.#again && !this.#stopped);
    this.#ringing = false;
  }

  async #deliverDue(): Promise<void> {
    for (let rows: number | null = DUE_PAGE; rows !== null && !this.#stopped; ) rows = await this.#deliverPage(rows);
  }

  /** Answers how many to look at next when there may be more that is due now; null = there is not, and the alarm is set. */
  async #deliverPage(rows: number): Promise<number | null> {
    const { store, clock, shouldProcess: adopts } = this.#options;
    const nowMs = clock.nowMs();
    const page = await store.due(nowMs, rows);
    const due = page.filter((each) => adopts(executionOf(each)) && !this.#delivering.has(keyOf(each)));
    const mine = due.filter((each) => this.#isMine(each, nowMs));
    const taken = mine.length === 0 ? [] : await this.#deliverAll(mine);
    const isAll = page.length < rows;
    const isDone = taken.every((outcome) => outcome !== null);
    const left = due.find((each) => !mine.includes(each));
    if (left !== undefined) this.#timer.scheduleAt(isAll ? left.atMs + TAKE_OVER_AFTER_MS : nowMs + CROWDED_MS);
    if (!(isAll && isDone)) {
      if (taken.some((outcome) => outcome !== null)) return rows;
      if (left === undefined && !isAll && rows < MAX_PAGE) return 2 * rows;
      if (left === undefined || mine.length > 0) this.#timer.scheduleAt(nowMs + STUCK_RETRY_MS);
    }
    const nextMs = await store.nextDueAtMs(isDone && mine.length === page.length ? undefined : nowMs);
    if (nextMs !== null) this.#timer.scheduleAt(nextMs > clock.nowMs() ? nextMs : clock.nowMs() + 50);
    return null;
  }

  /** What is left to another runtime for too long is done here. */
  #isMine(due: Due, nowMs: number): boolean {
    return due.atMs + TAKE_OVER_AFTER_MS <= nowMs || this.#options.isMine(executionOf(due));
  }

  /** Null = given up, or still under way after a minute: what cannot be delivered must not keep everything else from it. */
  #deliverAll(mine: readonly Due[]): Promise<readonly (MessageOutcome | null)[]> {
    return new Promise((resolve) => {
      const callOff = this.#options.clock.after(STUCK_RETRY_MS, () => resolve(mine.map(() => null)));
      void Promise.all(mine.map((each) => this.#deliver(each))).then((taken) => {
        callOff();
        resolve(taken);
      });
    });
  }

  #deliver(due: Due): Promise<MessageOutcome | null> {
    const name = keyOf(due);
    this.#delivering.add(name);
    return this.#send(due).finally(() => this.#delivering.delete(name));
  }

  #send(due: Due): Promise<MessageOutcome | null> {
    const { deliver } = this.#options;
    switch (due.kind) {
      case 'timer':
        return deliver(
          due.executionId,
          { type: 'timer', id: due.timerId },
          { fire: { id: due.timerId, armedSeq: due.armedSeq }, always: true },
        );
      case 'workflow_timeout':
        return deliver(due.executionId, { type: 'cancel', reason: 'workflow timeout' }, {});
      case 'lease': {
        const settle = { id: due.item.id, fence: due.item.fence };
        return deliver(
          due.item.executionId,
          { type: 'fail', ...visitOf(due.item), error: 'lease expired', retryable: true },
          { settle, always: true },
        );
      }
      case 'deadline': {
        const settle = { id: due.item.id, fence: due.item.fence };
        const error = `timed out after ${(due.item.timeoutMs ?? 0) / 1000} s`;
        return deliver(
          due.item.executionId,
          { type: 'fail', ...visitOf(due.item), error, errorClass: 'timeout', retryable: true },
          { settle, always: true },
        );
      }
      default: {
        const unhandled: never = due;
        throw new TypeError(`unhandled ${JSON.stringify(unhandled)}`);
      }
    }
  }
}

function executionOf(due: Due): string {
  return 'item' in due ? due.item.executionId : due.executionId;
}

/** Of an item that was claimed again, another. */
function keyOf(due: Due): string {
  const which = 'item' in due ? `${due.item.id} ${due.item.fence}` : 'timerId' in due ? `${due.timerId} ${due.armedSeq}` : '';
  return `${due.kind} ${executionOf(due)} ${which}`;
}

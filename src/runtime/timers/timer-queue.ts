import { MAX_LOST_LEASES } from '../../../machines/limits.ts';
import type { Message, Visit } from '../../../machines/messages.ts';
import { ChurnSet } from '../../../store/churn-map.ts';
import type { Due, WorkItemRow } from '../../../store/port/work-items.ts';
import { CoalescedJob } from '../coalesced-job.ts';
import type { RuntimeContext } from '../context.ts';
import type { Deliver } from '../engine/deliver.ts';
import type { MessageOutcome, Preconditions } from '../engine/envelope.ts';
import type { ExecutionScope } from '../execution-scope.ts';
import type { Placement } from '../placement.ts';
import { DeadlineTimer } from './deadline-timer.ts';

const PAGE_SIZE = 500;
/** The largest page: due rows that cannot be delivered here must not hide the others forever. */
const MAX_PAGE_SIZE = 64_000;
/** When to look again at due rows whose executions cannot be stepped. */
const STUCK_RETRY_MS = 60_000;
/** A timer that another runtime should deliver is delivered here after this time. */
const TAKE_OVER_AFTER_MS = 2_000;
/** When to look again if more than a page is left to other runtimes. */
const NEXT_PAGE_DELAY_MS = 100;

export interface TimerQueueOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'events' | 'stopping' | 'onError'> {
  readonly scope: ExecutionScope;
  readonly placement: Placement;
  readonly deliver: Deliver;
}

/** Delivers everything durable that falls due: timers, leases, work deadlines, workflow timeouts. One timer, no polling. */
export class TimerQueue {
  readonly #options: TimerQueueOptions;
  readonly #timer: DeadlineTimer;
  /** Due rows whose messages have neither been taken nor refused yet. */
  readonly #delivering = new ChurnSet<string>();
  readonly #job: CoalescedJob;

  constructor(options: TimerQueueOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => this.poll());
    this.#job = new CoalescedJob(options, () => this.#deliverDue());
    const { events, stopping } = options;
    const stop = (): void => {
      this.#timer.stop();
      void this.#job.close();
    };
    stopping.addEventListener('abort', stop, { once: true });
    events.on('timerSet', (atMs) => this.scheduleAt(atMs));
    events.on('resync', () => this.poll());
    events.on('membershipRefreshed', ({ gone }) => {
      // Timers of which only a lost runtime knew may be due.
      if (gone.length > 0) this.poll();
    });
  }

  /** Polls at this time, or before; null = nothing falls due. */
  scheduleAt(atMs: number | null): void {
    this.#timer.scheduleAt(atMs);
  }

  /** Delivers all that is due and schedules the next poll. */
  poll(): void {
    this.#job.request();
  }

  async #deliverDue(): Promise<void> {
    for (let size: number | null = PAGE_SIZE; size !== null && !this.#options.stopping.aborted; )
      size = await this.#deliverPage(size);
  }

  /** Returns the size of the next page if more may be due now; null = nothing more is, and the timer is set. */
  async #deliverPage(size: number): Promise<number | null> {
    const { store, clock, scope } = this.#options;
    const nowMs = clock.nowMs();
    const page = await store.due(nowMs, size);
    const due = page.filter((each) => scope.includes(executionOf(each)) && !this.#delivering.has(keyOf(each)));
    const mine = due.filter((each) => this.#isMine(each, nowMs));
    const outcomes = mine.length === 0 ? [] : await this.#deliverAll(mine);
    const isAll = page.length < size;
    const isDone = outcomes.every((outcome) => outcome !== null);
    const left = due.find((each) => !mine.includes(each));
    if (left !== undefined) this.#timer.scheduleAt(isAll ? left.atMs + TAKE_OVER_AFTER_MS : nowMs + NEXT_PAGE_DELAY_MS);
    if (!(isAll && isDone)) {
      if (outcomes.some((outcome) => outcome !== null)) return size;
      if (left === undefined && !isAll && size < MAX_PAGE_SIZE) return 2 * size;
      if (left === undefined || mine.length > 0) this.#timer.scheduleAt(nowMs + STUCK_RETRY_MS);
    }
    const nextMs = await store.nextDueAtMs(isDone && mine.length === page.length ? undefined : nowMs);
    if (nextMs !== null) this.#timer.scheduleAt(nextMs > clock.nowMs() ? nextMs : clock.nowMs() + 50);
    return null;
  }

  /** A timer that another runtime has left undelivered for too long is delivered here. */
  #isMine(due: Due, nowMs: number): boolean {
    return due.atMs + TAKE_OVER_AFTER_MS <= nowMs || this.#options.placement.isResponsible(executionOf(due));
  }

  /** Null = given up, or still undelivered after a minute, so that one execution cannot delay the timers of all others. */
  #deliverAll(mine: readonly Due[]): Promise<readonly (MessageOutcome | null)[]> {
    return new Promise((resolve) => {
      const cancelTimeout = this.#options.clock.after(STUCK_RETRY_MS, () => resolve(mine.map(() => null)));
      void Promise.all(mine.map((each) => this.#deliver(each))).then((outcomes) => {
        cancelTimeout();
        resolve(outcomes);
      });
    });
  }

  #deliver(due: Due): Promise<MessageOutcome | null> {
    const { events, clock } = this.#options;
    const key = keyOf(due);
    this.#delivering.add(key);
    if (events.has('dueDelivered')) events.emit('dueDelivered', { kind: due.kind, lateMs: clock.nowMs() - due.atMs });
    const [message, preconditions] = messageOf(due);
    return this.#options.deliver(executionOf(due), message, preconditions).finally(() => this.#delivering.delete(key));
  }
}

function messageOf(due: Due): readonly [Message, Preconditions] {
  switch (due.kind) {
    case 'timer':
      return [
        { type: 'timer', id: due.timerId },
        { fire: { id: due.timerId, armedSeq: due.armedSeq }, always: true },
      ];
    case 'workflow_timeout':
      return [{ type: 'cancel', reason: 'workflow timeout' }, {}];
    case 'lease':
      return [
        { type: 'fail', ...visitOf(due.item), error: 'lease expired', retryable: true, lost: MAX_LOST_LEASES },
        { settle: { id: due.item.id, fence: due.item.fence }, always: true },
      ];
    case 'deadline': {
      const error = `timed out after ${(due.item.timeoutMs ?? 0) / 1000} s`;
      return [
        { type: 'fail', ...visitOf(due.item), error, errorClass: 'timeout', retryable: true },
        { settle: { id: due.item.id, fence: due.item.fence }, always: true },
      ];
    }
    default: {
      const unhandled: never = due;
      throw new TypeError(`unhandled ${JSON.stringify(unhandled)}`);
    }
  }
}

/** The visit of a node that a work item belongs to. */
export function visitOf({ nodeId: node, activation, attempt, item }: WorkItemRow): Visit {
  return { node, activation, attempt, item: item ?? undefined };
}

function executionOf(due: Due): string {
  return 'item' in due ? due.item.executionId : due.executionId;
}

/** Differs for an item that was claimed again. */
function keyOf(due: Due): string {
  const which = 'item' in due ? `${due.item.id} ${due.item.fence}` : 'timerId' in due ? `${due.timerId} ${due.armedSeq}` : '';
  return `${due.kind} ${executionOf(due)} ${which}`;
}

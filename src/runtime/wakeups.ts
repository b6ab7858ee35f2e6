import type { Message } from '../../machines/messages.ts';
import type { Due } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import { Alarm } from './alarm.ts';
import type { Clock } from './clock.ts';
import type { Conditions, Outcome } from './envelope.ts';
import { visitOf } from './external-work.ts';

const DUE_PAGE = 500;
/** When to look again at due rows whose executions cannot be stepped. */
const STUCK_RETRY_MS = 60_000;

export interface WakeupsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly adopts: (executionId: string) => boolean;
  /** Delivers whatever the store does meanwhile; null = given up. */
  readonly deliver: (executionId: string, message: Message, conditions: Conditions) => Promise<Outcome | null>;
  readonly insist: <T>(attempt: () => Promise<T>) => Promise<T | null>;
}

/** Everything durable that falls due: timers, leases, work deadlines, workflow timeouts. One alarm, no polling. */
export class Wakeups {
  readonly #options: WakeupsOptions;
  readonly #alarm: Alarm;
  #ringing = false;
  #again = false;
  #stopped = false;

  constructor(options: WakeupsOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock, () => void this.ring());
  }

  noLaterThan(atMs: number | null): void {
    this.#alarm.noLaterThan(atMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm.stop();
  }

  /** Delivers all that is due and sets the alarm for the next. */
  async ring(): Promise<void> {
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
    const { store, clock, adopts } = this.#options;
    while (!this.#stopped) {
      const nowMs = clock.nowMs();
      const page = await store.due(nowMs, DUE_PAGE);
      const mine = page.filter((due) => adopts(executionOf(due)));
      const taken = await Promise.all(mine.map((due) => this.#deliver(due)));
      if (page.length < DUE_PAGE && taken.every((outcome) => outcome !== null)) break;
      if (taken.every((outcome) => outcome === null)) {
        this.#alarm.noLaterThan(nowMs + STUCK_RETRY_MS);
        return;
      }
    }
    const nextMs = await store.nextDueAtMs();
    if (nextMs !== null)
      this.#alarm.noLaterThan(nextMs > this.#options.clock.nowMs() ? nextMs : this.#options.clock.nowMs() + 50);
  }

  #deliver(due: Due): Promise<Outcome | null> {
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

import { setImmediate } from 'node:timers/promises';
import type { RemovalPosition, RetentionPolicy } from '../../store/port/resources/retention.ts';
import type { Store } from '../../store/port/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { DeadlineTimer } from '../runtime/timers/deadline-timer.ts';
import type { Runtime } from '../runtime/types/runtime.ts';
import type { SingletonService } from './service.ts';
import type { Tenants } from './tenants.ts';

const DAY_MS = 86_400_000;
/** After a failure: the disk may be full, the database busy. */
const RETRY_MS = 10 * 60_000;

export interface RetentionOptions {
  readonly store: Pick<Store, 'retention'>;
  readonly runtime: Pick<Runtime, 'id' | 'forget'>;
  readonly tenants: Pick<Tenants, 'onChange'>;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Removes ended executions of tenants that keep them for some days only. Runs when the server starts, when a tenant changes, and then once something
 * has become old enough, at most daily. What is removed was old enough when it went; it may stay up to a day longer.
 */
export class Retention implements SingletonService {
  readonly #options: RetentionOptions;
  readonly #timer: DeadlineTimer;
  readonly #unsubscribe: () => void;
  #active = false;
  #closed = false;
  #running: Promise<void> | null = null;
  #requested = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => this.#request());
    this.#unsubscribe = options.tenants.onChange(() => this.#request());
  }

  async start(): Promise<void> {
    this.#active = true;
    this.#request();
  }

  async standBy(): Promise<void> {
    this.#active = false;
    await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#timer.stop();
    await this.#running;
  }

  #request(): void {
    if (!this.#active || this.#closed) return;
    this.#requested = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run(): Promise<void> {
    const { store, clock, onError: failed } = this.#options;
    while (this.#requested && this.#active && !this.#closed) {
      this.#requested = false;
      try {
        const policies = await store.retention.policies();
        for (const policy of policies) await this.#apply(policy);
        this.#timer.scheduleAt(await this.#nextRunMs(policies));
      } catch (error) {
        failed(error);
        this.#timer.scheduleAt(clock.nowMs() + RETRY_MS);
      }
    }
  }

  async #apply({ tenantId, days }: RetentionPolicy): Promise<void> {
    const { store, runtime, clock } = this.#options;
    const endedBeforeMs = clock.nowMs() - days * DAY_MS + 1;
    let after: RemovalPosition | null = null;
    do {
      const context = { tenantId, atMs: clock.nowMs(), actorId: runtime.id, actorType: 'system', request: null } as const;
      const { removed, next } = await store.retention.remove({ after, endedBeforeMs }, context);
      runtime.forget(removed);
      after = next;
      // Requests and executions go first.
      await setImmediate();
    } while (after !== null && this.#active && !this.#closed);
  }

  /** When the first execution that is there now becomes old enough; null = nobody has a policy. */
  async #nextRunMs(policies: readonly RetentionPolicy[]): Promise<number | null> {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    let next = Number.POSITIVE_INFINITY;
    for (const { tenantId, days } of policies) {
      const oldestMs = (await store.retention.oldestEndMs(tenantId)) ?? nowMs;
      next = Math.min(next, oldestMs + days * DAY_MS);
    }
    return policies.length === 0 ? null : Math.max(next, nowMs + DAY_MS);
  }
}

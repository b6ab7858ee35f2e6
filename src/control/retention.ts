import type { RetentionPolicy } from '../../store/port/resources/retention.ts';
import type { Store } from '../../store/port/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { Coalesced } from '../runtime/coalesce.ts';
import { DeadlineTimer } from '../runtime/timers/deadline-timer.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';
import { Removals } from './removals.ts';
import type { SingletonService } from './service.ts';
import type { Tenants } from './tenants.ts';

const DAY_MS = 86_400_000;
/** Delay after a failure, such as a full disk or a busy database. */
const RETRY_MS = 10 * 60_000;

export interface RetentionOptions {
  readonly store: Pick<Store, 'retention'>;
  readonly runtime: Pick<ServerRuntime, 'id' | 'forget'>;
  readonly tenants: Pick<Tenants, 'onChange'>;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Deletes ended executions of tenants with `retention_days`. Runs at start, when a tenant changes and when an execution becomes old enough,
 * at most once a day; so an execution is never deleted early, and up to a day late.
 */
export class Retention implements SingletonService {
  readonly #options: RetentionOptions;
  readonly #timer: DeadlineTimer;
  readonly #unsubscribe: () => void;
  #active = false;
  #closed = false;
  readonly #removals: Removals;
  readonly #runs = new Coalesced(() => this.#run());

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#removals = new Removals(options, () => this.#active && !this.#closed);
    this.#timer = new DeadlineTimer(options.clock, () => this.#request());
    this.#unsubscribe = options.tenants.onChange(() => this.#request());
  }

  async start(): Promise<void> {
    this.#active = true;
    this.#request();
  }

  async standBy(): Promise<void> {
    this.#active = false;
    await this.#runs.idle();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    this.#timer.stop();
    await this.#runs.idle();
  }

  #request(): void {
    if (this.#active && !this.#closed) void this.#runs.run();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    if (!this.#active || this.#closed) return;
    const { store, clock, onError } = this.#options;
    try {
      const policies = await store.retention.policies();
      for (const { tenantId, days } of policies)
        await this.#removals.remove(tenantId, { endedBeforeMs: clock.nowMs() - days * DAY_MS + 1 });
      this.#timer.scheduleAt(await this.#nextRunMs(policies));
    } catch (error) {
      onError(error);
      this.#timer.scheduleAt(clock.nowMs() + RETRY_MS);
    }
  }

  /** When the oldest ended execution becomes old enough; null = no tenant has a retention policy. */
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

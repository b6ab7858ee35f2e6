import { Coalesced } from '../runtime/coalesce.ts';
import { DeadlineTimer } from '../runtime/timers/deadline-timer.ts';
import { Removals, type RemovalsOptions } from './removals.ts';
import type { SingletonService } from './service.ts';

const DAY_MS = 86_400_000;

export interface DataPolicyRetentionOptions extends RemovalsOptions {
  readonly onError: (error: unknown) => void;
}

/**
 * Deletes ended executions whose data policy has `retention_days`. Runs at start and once a day, so that an execution is never deleted early, and
 * up to a day late.
 */
export class DataPolicyRetention implements SingletonService {
  readonly #options: DataPolicyRetentionOptions;
  readonly #timer: DeadlineTimer;
  readonly #removals: Removals;
  #active = false;
  #closed = false;
  readonly #runs = new Coalesced(() => this.#run());

  constructor(options: DataPolicyRetentionOptions) {
    this.#options = options;
    this.#removals = new Removals(options, () => this.#active && !this.#closed);
    this.#timer = new DeadlineTimer(options.clock, () => this.#request());
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
      let tenantId = await store.retention.nextExpiring('');
      while (tenantId !== null && this.#active && !this.#closed) {
        await this.#removals.remove(tenantId, { endedBeforeMs: clock.nowMs() + 1, reason: 'data_policy' });
        tenantId = await store.retention.nextExpiring(tenantId);
      }
    } catch (error) {
      onError(error);
    }
    this.#timer.scheduleAt(clock.nowMs() + DAY_MS);
  }
}

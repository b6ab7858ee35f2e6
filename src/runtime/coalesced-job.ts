import type { Clock } from './clock.ts';
import { Coalesced } from './coalesce.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

export interface CoalescedJobOptions {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * A job that runs on request, never twice at a time: requests made while it runs share one further run. A failure is reported,
 * and the job is run again after a delay that doubles with each failure.
 */
export class CoalescedJob {
  readonly #options: CoalescedJobOptions;
  readonly #job: () => Promise<void>;
  readonly #runs = new Coalesced(() => this.#run());
  #delayMs = FIRST_DELAY_MS;
  #cancelRetry: () => void = () => {};
  #closed = false;

  constructor(options: CoalescedJobOptions, job: () => Promise<void>) {
    this.#options = options;
    this.#job = job;
  }

  get closed(): boolean {
    return this.#closed;
  }

  request(): void {
    if (!this.#closed) void this.#runs.run();
  }

  /** Requests a run and resolves when it has ended, also when it failed. */
  async requestAndWait(): Promise<void> {
    await (this.#closed ? this.#runs.idle() : this.#runs.run());
  }

  /** Resolves when no run is in progress. */
  idle(): Promise<void> {
    return this.#runs.idle();
  }

  /** Prevents further runs and resolves when none is in progress. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    await this.#runs.idle();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#job();
      this.#delayMs = FIRST_DELAY_MS;
    } catch (error) {
      this.#options.onError(error);
      this.#cancelRetry();
      this.#cancelRetry = this.#options.clock.after(this.#delayMs, () => this.request());
      this.#delayMs = Math.min(2 * this.#delayMs, MAX_DELAY_MS);
    }
  }
}

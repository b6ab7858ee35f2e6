import type { Clock } from './clock.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

export interface CoalescedJobOptions {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Does a job whenever it is asked to, never twice at a time: asked while it works, it goes once more when it is through. A job
 * that fails is reported and done again after a while, which grows from failure to failure.
 */
export class CoalescedJob {
  readonly #options: CoalescedJobOptions;
  readonly #job: () => Promise<void>;
  #running: Promise<void> | null = null;
  #requested = false;
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
    if (this.#closed) return;
    this.#requested = true;
    this.#running ??= this.#run();
  }

  /** Asks, and resolves when it is through; also when the job failed. */
  async requestAndWait(): Promise<void> {
    this.request();
    await this.#running;
  }

  /** Resolves when the job under way has ended, if there is one. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Resolves when the job under way has ended; there is none after it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#requested && !this.#closed) {
        this.#requested = false;
        await this.#job();
        this.#delayMs = FIRST_DELAY_MS;
      }
    } catch (error) {
      this.#options.onError(error);
      this.#cancelRetry();
      this.#cancelRetry = this.#options.clock.after(this.#delayMs, () => this.request());
      this.#delayMs = Math.min(2 * this.#delayMs, MAX_DELAY_MS);
    } finally {
      this.#running = null;
    }
  }
}

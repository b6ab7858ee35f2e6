import type { Clock } from '../runtime/clock.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;

export interface PumpOptions {
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
}

/**
 * Does a job whenever it is asked to, never twice at a time: asked while it works, it goes once more when it is through. A job
 * that fails is reported and done again after a while, which grows from failure to failure.
 */
export class Pump {
  readonly #options: PumpOptions;
  readonly #job: () => Promise<void>;
  #running: Promise<void> | null = null;
  #again = false;
  #delayMs = FIRST_DELAY_MS;
  #callOff: () => void = () => {};
  #closed = false;

  constructor(options: PumpOptions, job: () => Promise<void>) {
    this.#options = options;
    this.#job = job;
  }

  get closed(): boolean {
    return this.#closed;
  }

  ask(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Asks, and resolves when it is through; also when the job failed. */
  async through(): Promise<void> {
    this.ask();
    await this.#running;
  }

  /** Resolves when the job under way has ended, if there is one. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Resolves when the job under way has ended; there is none after it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#callOff();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        await this.#job();
        this.#delayMs = FIRST_DELAY_MS;
      }
    } catch (error) {
      this.#options.failed(error);
      this.#callOff();
      this.#callOff = this.#options.clock.after(this.#delayMs, () => this.ask());
      this.#delayMs = Math.min(2 * this.#delayMs, LONGEST_DELAY_MS);
    } finally {
      this.#running = null;
    }
  }
}

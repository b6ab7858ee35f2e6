import type { Clock } from '../runtime/clock.ts';
import { Coalesced } from '../runtime/coalesce.ts';
import { DeadlineTimer } from '../runtime/timers/deadline-timer.ts';
import type { SingletonService } from './service.ts';

/** Delay after a failure, such as a full disk or a busy database. */
const RETRY_MS = 10 * 60_000;

export interface MaintenanceOptions {
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Runs at start, at the time that each run gives for the next one, and on request; never twice at a time. A failed run is repeated later. */
export abstract class MaintenanceTask implements SingletonService {
  readonly #options: MaintenanceOptions;
  readonly #timer: DeadlineTimer;
  readonly #runs = new Coalesced(() => this.#run());
  #active = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => this.request());
  }

  /** Resolves with the time of the next run, in milliseconds since the epoch; null = none until it is requested. */
  protected abstract run(): Promise<number | null>;

  /** False once another process takes over or this one closes: a run then stops early. */
  protected get isActive(): boolean {
    return this.#active;
  }

  protected request(): void {
    if (this.#active) void this.#runs.run();
  }

  async start(): Promise<void> {
    this.#active = true;
    this.request();
  }

  async standBy(): Promise<void> {
    this.#active = false;
    await this.#runs.idle();
  }

  async close(): Promise<void> {
    this.#timer.stop();
    await this.standBy();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    if (!this.#active) return;
    try {
      this.#timer.scheduleAt(await this.run());
    } catch (error) {
      this.#options.onError(error);
      this.#timer.scheduleAt(this.#options.clock.nowMs() + RETRY_MS);
    }
  }
}

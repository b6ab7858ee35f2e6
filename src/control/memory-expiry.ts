import type { Clock } from '../runtime/clock.ts';
import { Coalesced } from '../runtime/coalesce.ts';
import { DeadlineTimer } from '../runtime/timers/deadline-timer.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';
import type { SingletonService } from './service.ts';

const INTERVAL_MS = 60 * 60_000;

interface MemoryExpiryOptions {
  readonly runtime: { readonly memory: Pick<ServerRuntime['memory'], 'removeExpired'> };
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Deletes items of the memory whose time is over, at start and once an hour. Searches leave them out meanwhile. */
export class MemoryExpiry implements SingletonService {
  readonly #options: MemoryExpiryOptions;
  readonly #timer: DeadlineTimer;
  readonly #runs = new Coalesced(() => this.#run());
  #active = false;

  constructor(options: MemoryExpiryOptions) {
    this.#options = options;
    this.#timer = new DeadlineTimer(options.clock, () => void this.#runs.run());
  }

  async start(): Promise<void> {
    this.#active = true;
    void this.#runs.run();
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
    const { runtime, clock, onError } = this.#options;
    try {
      await runtime.memory.removeExpired();
    } catch (error) {
      onError(error);
    }
    if (this.#active) this.#timer.scheduleAt(clock.nowMs() + INTERVAL_MS);
  }
}

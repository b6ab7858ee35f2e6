import { ApiError, type JamjetClient } from '../client/index.ts';
import type { Progress } from '../executors/tool-context/progress.ts';
import type { Clock } from '../runtime/clock.ts';
import { backoffMs, isLostLease, isTransient } from './server-errors.ts';

/** How long a lease lasts without a heartbeat, as the server documents it. */
export const LEASE_MS = 30_000;
const HEARTBEAT_MS = 10_000;
/** The shortest time between two heartbeats that only report progress. */
const PROGRESS_PAUSE_MS = 1_000;

/** Reason of an attempt's signal: the result of the attempt is not wanted any more. */
export class LeaseLost extends Error {
  readonly code = 'lease_lost';

  constructor(reason: string) {
    super(`the lease of the work item was lost: ${reason}`);
    this.name = 'LeaseLost';
  }
}

export interface LeaseOptions {
  readonly client: JamjetClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly itemId: string;
  readonly workerId: string;
  readonly fence: number;
  readonly onLost: (reason: LeaseLost) => void;
}

/** Keeps the lease of a claimed item by heartbeats, until `end`. Reports the progress of the attempt with them. */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #ended = new AbortController();
  #renewedAtMs: number;
  #lost: LeaseLost | null = null;
  #cancelHeartbeat: () => void = () => {};
  #cancelProgress: (() => void) | null = null;
  /** Not reported yet; null = nothing new. */
  #progress: Progress | null = null;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#renewedAtMs = options.clock.nowMs();
    this.#schedule();
  }

  /** Null = the lease is held, as far as is known. */
  get lost(): LeaseLost | null {
    return this.#lost;
  }

  /** Renews the lease at once. Rejects with `LeaseLost`. */
  async renew(): Promise<void> {
    this.#cancelHeartbeat();
    for (let failures = 0; this.#lost === null && !this.#ended.signal.aborted; failures += 1) {
      if (failures > 0) await this.pause(failures);
      if (await this.#tryRenew()) break;
    }
    this.#schedule();
    if (this.#lost !== null) throw this.#lost;
  }

  /** Reports how far the attempt is with a heartbeat, soon. */
  report(progress: Progress): void {
    this.#progress = progress;
    if (this.#cancelProgress !== null || this.#isOver) return;
    this.#beat();
    this.#cancelProgress = this.#options.clock.after(PROGRESS_PAUSE_MS, () => {
      this.#cancelProgress = null;
      if (this.#progress !== null) this.report(this.#progress);
    });
  }

  /** Resolves when a request may be repeated, or when the lease is over. */
  pause(failures: number): Promise<void> {
    const { clock, random } = this.#options;
    return new Promise((resolve) => {
      if (this.#isOver) return resolve();
      const cancel = clock.after(backoffMs(failures, random()), done, true);
      const { signal } = this.#ended;
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  /** Nothing that the server says of the item counts any more. */
  lose(reason: string): void {
    if (this.#isOver) return;
    this.#lost = new LeaseLost(reason);
    this.end();
    this.#options.onLost(this.#lost);
  }

  /** Loses the lease if it must have expired by now. The reason is why it could not be renewed. */
  loseIfExpired(reason: string): void {
    if (this.#options.clock.nowMs() - this.#renewedAtMs >= LEASE_MS) this.lose(reason);
  }

  end(): void {
    this.#cancelHeartbeat();
    this.#cancelProgress?.();
    this.#ended.abort();
  }

  get #isOver(): boolean {
    return this.#lost !== null || this.#ended.signal.aborted;
  }

  #schedule(): void {
    this.#cancelHeartbeat();
    if (!this.#isOver) this.#cancelHeartbeat = this.#options.clock.after(HEARTBEAT_MS, () => this.#beat());
  }

  /** A lost lease is told by `onLost`. */
  #beat(): void {
    this.renew().catch((error: unknown) => {
      if (error !== this.#lost) this.lose(String(error));
    });
  }

  /** False = the request may be repeated. */
  async #tryRenew(): Promise<boolean> {
    const { client, clock, itemId, workerId, fence } = this.#options;
    const sentAtMs = clock.nowMs();
    const progress = this.#progress;
    this.#progress = null;
    try {
      await client.heartbeat(
        itemId,
        { worker_id: workerId, lease_fence: fence, ...(progress === null ? {} : { progress }) },
        { signal: this.#ended.signal },
      );
      this.#renewedAtMs = sentAtMs;
      return true;
    } catch (error) {
      this.#progress ??= progress;
      if (this.#isOver) return true;
      if (isLostLease(error)) this.lose(error instanceof ApiError ? error.message : '');
      else if (isTransient(error)) this.loseIfExpired(`it could not be renewed in time: ${(error as Error).message}`);
      else this.lose(error instanceof Error ? error.message : String(error));
      return false;
    }
  }
}

import { ChurnMap } from '../../../store/churn-map.ts';
import type { ActivityPool } from '../activities/local/activity-pool.ts';
import type { Engine } from '../engine/engine.ts';
import { RuntimeError } from '../errors.ts';

export interface AdmissionOptions {
  /** The most messages that may wait for their commit, and the most requests and in-process attempts of one tenant. */
  readonly maxPending: number;
  readonly stopping: Pick<AbortSignal, 'aborted'>;
  readonly engine: Pick<Engine, 'pending'>;
  readonly pool: Pick<ActivityPool, 'sizeOf'>;
}

const RETRY_AFTER_MS = 1_000;

/**
 * Refuses requests while too much work is waiting: first those of the tenant that asks for too much, and those of others only
 * when there is no other way. Requests that reduce work are always admitted.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Requests in progress, by tenant. */
  readonly #requests = new ChurnMap<string, number>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether requests that add work are refused, whichever tenant sends them. */
  get isFull(): boolean {
    return this.#options.engine.pending > 2 * this.#options.maxPending;
  }

  /** Runs a request that adds work. Rejects with `shutting_down` and `overloaded`. */
  async run<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    this.admit(tenantId);
    const before = this.#requests.get(tenantId) ?? 0;
    this.#requests.set(tenantId, before + 1);
    try {
      return await work();
    } finally {
      const left = (this.#requests.get(tenantId) ?? 1) - 1;
      if (left === 0) this.#requests.delete(tenantId);
      else this.#requests.set(tenantId, left);
    }
  }

  /** Throws `shutting_down` or `overloaded`. */
  admit(tenantId: string): void {
    this.assertOpen();
    const { maxPending, engine, pool } = this.#options;
    const requests = this.#requests.get(tenantId) ?? 0;
    const own = requests + pool.sizeOf(tenantId);
    if (own > maxPending) throw overloaded(`too much work of tenant ${tenantId} is waiting`);
    const all = engine.pending;
    // A tenant that sends one request after the other is admitted for longer.
    if (this.isFull || (all > maxPending && requests > 0)) throw overloaded('too much work is waiting');
  }

  /** For requests that reduce work: cancels, rejections, pauses, results. Throws `shutting_down`. */
  assertOpen(): void {
    if (this.#options.stopping.aborted)
      throw new RuntimeError('shutting_down', 'the runtime is shutting down', { retryAfterMs: 2000 });
  }
}

function overloaded(message: string): RuntimeError {
  return new RuntimeError('overloaded', message, { retryAfterMs: RETRY_AFTER_MS });
}

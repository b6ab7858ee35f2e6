import { RuntimeError } from '../errors.ts';

export interface AdmissionOptions {
  /** Messages that may wait for their commit, and requests and in-process attempts of one tenant that may be under way or wait. */
  readonly maxPending: number;
  readonly stopped: () => boolean;
  /** Messages that wait for their commit. */
  readonly pending: () => number;
  /** In-process attempts of a tenant, under way or waiting. */
  readonly attempts: (tenantId: string) => number;
}

const RETRY_MS = 1_000;

/**
 * Lets requests in, or refuses them while too much waits: those of the tenant that asks for too much first, others only when there is no
 * other way. What makes less work is always let in.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Requests under way. */
  readonly #requests = new Map<string, number>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Carries out a request. Rejects with `shutting_down` and `overloaded`. */
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
    const { maxPending, pending, attempts } = this.#options;
    const requests = this.#requests.get(tenantId) ?? 0;
    const own = requests + attempts(tenantId);
    if (own > maxPending) throw overloaded(`too much work of tenant ${tenantId} is waiting`);
    const all = pending();
    // A tenant that asks for one thing after the other is let in for longer.
    if (all > 2 * maxPending || (all > maxPending && requests > 0)) throw overloaded('too much work is waiting');
  }

  /** For what makes less work: cancels, rejections, operators' holds, results. Throws `shutting_down`. */
  assertOpen(): void {
    if (this.#options.stopped()) throw new RuntimeError('shutting_down', 'the runtime is shutting down', { retryAfterMs: 2000 });
  }
}

function overloaded(message: string): RuntimeError {
  return new RuntimeError('overloaded', message, { retryAfterMs: RETRY_MS });
}

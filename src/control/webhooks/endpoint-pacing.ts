/** A response that takes longer counts as slow. */
const SLOW_MS = 2_000;
export const MAX_CONCURRENCY = 16;
const INITIAL_CONCURRENCY = 4;
/** After this many slow responses in a row, attempts pause for a second, then twice as long each time. */
const SLOW_BEFORE_PAUSE = 3;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

interface EndpointState {
  /** Maximum of concurrent attempts. */
  concurrency: number;
  slowInARow: number;
  /** No attempt starts before this time. */
  notBeforeMs: number;
}

const INITIAL_STATE: Readonly<EndpointState> = { concurrency: INITIAL_CONCURRENCY, slowInARow: 0, notBeforeMs: 0 };

/** Adapts the concurrency of each webhook to how fast its endpoint answers: one more per fast response, half per slow one. Per process. */
export class EndpointPacing {
  /** Webhooks that differ from the initial state. */
  readonly #endpoints = new Map<string, EndpointState>();

  concurrency(webhookId: string): number {
    return (this.#endpoints.get(webhookId) ?? INITIAL_STATE).concurrency;
  }

  /** The earliest time for the next attempt. */
  notBeforeMs(webhookId: string): number {
    return (this.#endpoints.get(webhookId) ?? INITIAL_STATE).notBeforeMs;
  }

  /** Must be called when an attempt has ended. */
  answered(webhookId: string, durationMs: number, nowMs: number): void {
    const endpoint = this.#endpoints.get(webhookId) ?? { ...INITIAL_STATE };
    if (durationMs < SLOW_MS) {
      this.#endpoints.set(webhookId, {
        concurrency: Math.min(MAX_CONCURRENCY, endpoint.concurrency + 1),
        slowInARow: 0,
        notBeforeMs: 0,
      });
      return;
    }
    const slow = endpoint.slowInARow + 1;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (slow - SLOW_BEFORE_PAUSE));
    const notBeforeMs = slow < SLOW_BEFORE_PAUSE ? 0 : nowMs + pauseMs;
    this.#endpoints.set(webhookId, {
      concurrency: Math.max(1, Math.floor(endpoint.concurrency / 2)),
      slowInARow: slow,
      notBeforeMs,
    });
  }

  /** Call when the webhook was removed or its URL changed. */
  forget(webhookId: string): void {
    this.#endpoints.delete(webhookId);
  }
}

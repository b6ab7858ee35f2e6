/** An answer that takes longer keeps a slot from others for long. */
const SLOW_MS = 2_000;
export const MAX_CONCURRENCY = 16;
const INITIAL_CONCURRENCY = 4;
/** After so many slow answers in a row, no attempt begins for a while: a second, and twice as long each time. */
const SLOW_BEFORE_PAUSE = 3;
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;

interface EndpointState {
  /** Attempts that may be under way at the same time. */
  concurrency: number;
  slowInARow: number;
  /** No attempt begins before. */
  notBeforeMs: number;
}

const INITIAL_STATE: Readonly<EndpointState> = { concurrency: INITIAL_CONCURRENCY, slowInARow: 0, notBeforeMs: 0 };

/** How each webhook's endpoint has answered lately, and what may be asked of it: one that is slow is asked for little. Of this process alone. */
export class EndpointPacing {
  /** Those that are not as they were at first. */
  readonly #endpoints = new Map<string, EndpointState>();

  concurrency(webhookId: string): number {
    return (this.#endpoints.get(webhookId) ?? INITIAL_STATE).concurrency;
  }

  /** When the next attempt may begin. */
  notBeforeMs(webhookId: string): number {
    return (this.#endpoints.get(webhookId) ?? INITIAL_STATE).notBeforeMs;
  }

  /** An attempt has ended. */
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

  /** The webhook is gone, or leads elsewhere. */
  forget(webhookId: string): void {
    this.#endpoints.delete(webhookId);
  }
}

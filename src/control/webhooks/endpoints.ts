/** An answer that takes longer keeps a slot from others for long. */
const SLOW_MS = 2_000;
export const MOST_AT_ONCE = 16;
const FIRST_AT_ONCE = 4;
/** After so many slow answers in a row, no attempt begins for a while: a second, and twice as long each time. */
const SLOW_IN_A_ROW = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

interface Endpoint {
  /** Attempts that may be under way at the same time. */
  atOnce: number;
  slow: number;
  /** No attempt begins before. */
  notBeforeMs: number;
}

const FRESH: Readonly<Endpoint> = { atOnce: FIRST_AT_ONCE, slow: 0, notBeforeMs: 0 };

/** How each webhook's endpoint has answered lately, and what may be asked of it: one that is slow is asked for little. Of this process alone. */
export class Endpoints {
  /** Those that are not as they were at first. */
  readonly #endpoints = new Map<string, Endpoint>();

  atOnce(webhookId: string): number {
    return (this.#endpoints.get(webhookId) ?? FRESH).atOnce;
  }

  /** When the next attempt may begin. */
  notBeforeMs(webhookId: string): number {
    return (this.#endpoints.get(webhookId) ?? FRESH).notBeforeMs;
  }

  /** An attempt has ended. */
  answered(webhookId: string, durationMs: number, nowMs: number): void {
    const endpoint = this.#endpoints.get(webhookId) ?? { ...FRESH };
    if (durationMs < SLOW_MS) {
      this.#endpoints.set(webhookId, { atOnce: Math.min(MOST_AT_ONCE, endpoint.atOnce + 1), slow: 0, notBeforeMs: 0 });
      return;
    }
    const slow = endpoint.slow + 1;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (slow - SLOW_IN_A_ROW));
    const notBeforeMs = slow < SLOW_IN_A_ROW ? 0 : nowMs + pauseMs;
    this.#endpoints.set(webhookId, { atOnce: Math.max(1, Math.floor(endpoint.atOnce / 2)), slow, notBeforeMs });
  }

  /** The webhook is gone, or leads elsewhere. */
  forget(webhookId: string): void {
    this.#endpoints.delete(webhookId);
  }
}

const WINDOW_MS = 60_000;

interface Window {
  readonly endsAtMs: number;
  requests: number;
}

/** Counts requests per tenant in fixed windows of a minute, each beginning with the tenant's first request. Per process. */
export class RequestRate {
  readonly #windows = new Map<string, Window>();
  #evictAtMs = 0;

  /** Returns null when the request was counted, else the milliseconds until the window ends. Refused requests do not count; `exempt` ones always do. */
  count(tenantId: string, max: number, nowMs: number, exempt: boolean): number | null {
    this.#evictExpired(nowMs);
    let window = this.#windows.get(tenantId);
    if (window === undefined || nowMs >= window.endsAtMs) {
      window = { endsAtMs: nowMs + WINDOW_MS, requests: 0 };
      this.#windows.set(tenantId, window);
    }
    if (window.requests >= max && !exempt) return window.endsAtMs - nowMs;
    window.requests += 1;
    return null;
  }

  /** Removes expired windows, at most once per window length. */
  #evictExpired(nowMs: number): void {
    if (nowMs < this.#evictAtMs) return;
    this.#evictAtMs = nowMs + WINDOW_MS;
    for (const [tenantId, { endsAtMs }] of this.#windows) if (nowMs >= endsAtMs) this.#windows.delete(tenantId);
  }
}

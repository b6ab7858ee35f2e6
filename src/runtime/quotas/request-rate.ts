const WINDOW_MS = 60_000;

interface Window {
  readonly endsAtMs: number;
  requests: number;
}

/** Requests per minute and tenant, in windows that begin with a tenant's first request. Of this process alone. */
export class RequestRate {
  readonly #windows = new Map<string, Window>();
  #evictAtMs = 0;

  /** Null = counted; else the milliseconds until there is room again. Refused requests do not count, those that are `exempt` always do. */
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

  /** Tenants that fell silent are forgotten, once a window at most. */
  #evictExpired(nowMs: number): void {
    if (nowMs < this.#evictAtMs) return;
    this.#evictAtMs = nowMs + WINDOW_MS;
    for (const [tenantId, { endsAtMs }] of this.#windows) if (nowMs >= endsAtMs) this.#windows.delete(tenantId);
  }
}

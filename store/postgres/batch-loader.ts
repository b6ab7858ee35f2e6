/** Keys per query, at most. */
const MAX_KEYS = 256;
/** Concurrent queries: one that hangs does not delay the others. */
const MAX_CONCURRENT = 2;
/** When a query fails after this time, requests that waited behind it fail, too, instead of waiting for another query that may take as long. */
const FAIL_WAITING_AFTER_MS = 10_000;

interface Waiting<Row> {
  readonly sinceMs: number;
  readonly resolve: (row: Row | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests for the next query, by key: requests for the same key share a result. */
type Next<Row> = Map<string, Waiting<Row>[]>;

/**
 * Batches concurrent lookups of single rows: requests that arrive while queries are running go together into the next query. A request never joins a
 * query that was sent before it, so a result is never older than its request.
 */
export class BatchLoader<Row> {
  readonly #load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>;
  readonly #nowMs: () => number;
  #next: Next<Row> = new Map();
  #running = 0;

  /** `load` resolves to the rows it finds. */
  constructor(load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>, nowMs = () => performance.now()) {
    this.#load = load;
    this.#nowMs = nowMs;
  }

  get(key: string): Promise<Row | null> {
    return new Promise((resolve, reject) => {
      const request = { sinceMs: this.#nowMs(), resolve, reject };
      const waiting = this.#next.get(key);
      if (waiting === undefined) this.#next.set(key, [request]);
      else waiting.push(request);
      this.#send();
    });
  }

  #send(): void {
    if (this.#running >= MAX_CONCURRENT || this.#next.size === 0) return;
    const keys = [...this.#next.keys()].slice(0, MAX_KEYS);
    const batch = keys.map((key) => [key, this.#next.get(key) ?? []] as const);
    for (const key of keys) this.#next.delete(key);
    this.#running += 1;
    void this.#loadBatch(batch);
  }

  async #loadBatch(batch: readonly (readonly [key: string, waiting: readonly Waiting<Row>[]])[]): Promise<void> {
    const sentMs = this.#nowMs();
    try {
      const found = await this.#load(batch.map(([key]) => key));
      for (const [key, waiting] of batch) for (const { resolve } of waiting) resolve(found.get(key) ?? null);
    } catch (error) {
      for (const [, waiting] of batch) for (const { reject } of waiting) reject(error);
      if (this.#nowMs() - sentMs >= FAIL_WAITING_AFTER_MS) this.#failWaiting(sentMs, error);
    } finally {
      this.#running -= 1;
      this.#send();
    }
  }

  /** Fails the requests that were made up to that time. */
  #failWaiting(untilMs: number, error: unknown): void {
    for (const [key, waiting] of this.#next) {
      const later = waiting.filter(({ sinceMs }) => sinceMs > untilMs);
      for (const { sinceMs, reject } of waiting) if (sinceMs <= untilMs) reject(error);
      if (later.length > 0) this.#next.set(key, later);
      else this.#next.delete(key);
    }
  }
}

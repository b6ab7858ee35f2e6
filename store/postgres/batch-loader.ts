/** Keys that one question asks for, at most. */
const MAX_KEYS = 256;
/** Questions under way at once: one that hangs does not hold up the others. */
const MAX_CONCURRENT = 2;
/** Whoever has waited behind a question that failed after so long does not wait for another: each may take as long. */
const FAIL_WAITING_AFTER_MS = 10_000;

interface Waiting<Row> {
  readonly sinceMs: number;
  readonly answer: (row: Row | null) => void;
  readonly fail: (error: unknown) => void;
}

/** What waits for the next question, by key: those who ask for the same share an answer. */
type Next<Row> = Map<string, Waiting<Row>[]>;

/**
 * Single rows for many who look them up at the same time: what is asked for while questions are under way goes together into the next one. An
 * answer is never older than the question: who asks joins none that has been sent already.
 */
export class BatchLoader<Row> {
  readonly #load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>;
  readonly #nowMs: () => number;
  #next: Next<Row> = new Map();
  #running = 0;

  /** `ask` answers those it finds. */
  constructor(ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>, nowMs = () => performance.now()) {
    this.#load = ask;
    this.#nowMs = nowMs;
  }

  get(key: string): Promise<Row | null> {
    return new Promise((answer, fail) => {
      const one = { sinceMs: this.#nowMs(), answer, fail };
      const waiting = this.#next.get(key);
      if (waiting === undefined) this.#next.set(key, [one]);
      else waiting.push(one);
      this.#send();
    });
  }

  #send(): void {
    if (this.#running >= MAX_CONCURRENT || this.#next.size === 0) return;
    const keys = [...this.#next.keys()].slice(0, MAX_KEYS);
    const asked = keys.map((key) => [key, this.#next.get(key) ?? []] as const);
    for (const key of keys) this.#next.delete(key);
    this.#running += 1;
    void this.#loadBatch(asked);
  }

  async #loadBatch(asked: readonly (readonly [key: string, waiting: readonly Waiting<Row>[]])[]): Promise<void> {
    const sentMs = this.#nowMs();
    try {
      const found = await this.#load(asked.map(([key]) => key));
      for (const [key, waiting] of asked) for (const { answer } of waiting) answer(found.get(key) ?? null);
    } catch (error) {
      for (const [, waiting] of asked) for (const { fail } of waiting) fail(error);
      if (this.#nowMs() - sentMs >= FAIL_WAITING_AFTER_MS) this.#failWaiting(sentMs, error);
    } finally {
      this.#running -= 1;
      this.#send();
    }
  }

  /** Those who have waited since then. */
  #failWaiting(untilMs: number, error: unknown): void {
    for (const [key, waiting] of this.#next) {
      const later = waiting.filter(({ sinceMs }) => sinceMs > untilMs);
      for (const { sinceMs, fail } of waiting) if (sinceMs <= untilMs) fail(error);
      if (later.length > 0) this.#next.set(key, later);
      else this.#next.delete(key);
    }
  }
}

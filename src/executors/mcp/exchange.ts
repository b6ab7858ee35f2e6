import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * A request to a server that is in progress. The SDK does not tell its caller when the transport of a reply fails; the code that notices it
 * calls `fail`.
 */
export class Exchange {
  static readonly #current = new AsyncLocalStorage<Exchange>();
  readonly #over = new AbortController();
  #reject: (error: Error) => void = () => {};
  /** Rejects when the exchange fails. */
  readonly failed: Promise<never>;

  constructor() {
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // A failure after the end of the exchange concerns no caller.
    this.failed.catch(() => {});
  }

  /** The exchange that the calling code works for. */
  static current(): Exchange | undefined {
    return Exchange.#current.getStore();
  }

  /** Aborted at the end of the exchange: then nothing waits for a reply any more. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  async run<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await Promise.race([Exchange.#current.run(this, request), this.failed]);
    } finally {
      this.#over.abort();
    }
  }
}

/** Least time between two readings: a busy tenant has thousands of events a second. */
const MIN_INTERVAL_MS = 1_000;
/** A reading takes at most this part of the server's time: one that took a second is repeated after five. */
const REST_FACTOR = 5;

/** Reads something when it is asked to, one reading at a time and not too often; requests meanwhile are one further reading. */
export class Paced {
  readonly #read: () => Promise<void>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isBusy = false;
  #isRequested = false;
  #isClosed = false;
  #notBeforeMs = 0;

  /** `read` handles its errors. */
  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  request(): void {
    this.#isRequested = true;
    if (this.#isBusy || this.#isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), Math.max(0, this.#notBeforeMs - performance.now()));
  }

  /** A reading in progress goes on, and is the last one until `open`. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  open(): void {
    this.#isClosed = false;
    if (this.#isRequested) this.request();
  }

  async #run(): Promise<void> {
    this.#timer = null;
    this.#isBusy = true;
    this.#isRequested = false;
    const startMs = performance.now();
    await this.#read();
    const endMs = performance.now();
    this.#notBeforeMs = endMs + Math.max(MIN_INTERVAL_MS, REST_FACTOR * (endMs - startMs));
    this.#isBusy = false;
    if (this.#isRequested) this.request();
  }
}

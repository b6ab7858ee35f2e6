import type { CancelSignal } from '../../runtime/types/cancel-signal.ts';

/** Tells when a long poll must end. Its AbortSignal is created on first use: most waits need none. */
export class PollSignal implements CancelSignal {
  readonly #listeners = new Set<() => void>();
  #aborted = false;
  #controller: AbortController | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  /** For waits that pass it on to other APIs. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  /** A listener is called once. */
  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#controller?.abort();
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

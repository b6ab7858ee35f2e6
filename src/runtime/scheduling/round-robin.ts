import { ChurnMap } from '../../../store/churn-map.ts';
import { RuntimeError } from '../errors.ts';

const RETRY_AFTER_MS = 1_000;

/** A queue per key. Keys take turns; the items of a key stay in order. */
export class RoundRobin<T> {
  /** In the order of the keys' next turns. */
  readonly #waiting = new ChurnMap<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(key: string): number {
    return this.#waiting.get(key)?.length ?? 0;
  }

  push(key: string, item: T): void {
    const items = this.#waiting.get(key);
    if (items === undefined) this.#waiting.set(key, [item]);
    else items.push(item);
    this.#size += 1;
  }

  /** Is one of the keys that are next like that? */
  some(isLikeThat: (key: string) => boolean, lookedAt: number): boolean {
    for (const key of this.#waiting.keys()) {
      if (lookedAt <= 0) return false;
      lookedAt -= 1;
      if (isLikeThat(key)) return true;
    }
    return false;
  }

  /** Takes the first item of the next key for which `may` returns true, of the first `lookedAt`; the key moves to the end of the round. */
  next(
    may: (key: string) => boolean = () => true,
    lookedAt = this.#waiting.size,
  ): { readonly key: string; readonly item: T } | null {
    for (const [key, items] of this.#waiting) {
      if (lookedAt <= 0) return null;
      lookedAt -= 1;
      if (!may(key)) continue;
      const [item] = items.splice(0, 1);
      this.#waiting.delete(key);
      if (item === undefined) continue;
      if (items.length > 0) this.#waiting.set(key, items);
      this.#size -= 1;
      return { key, item };
    }
    return null;
  }

  remove(key: string, item: T): void {
    const items = this.#waiting.get(key);
    const index = items?.indexOf(item) ?? -1;
    if (items === undefined || index === -1) return;
    items.splice(index, 1);
    this.#size -= 1;
    if (items.length === 0) this.#waiting.delete(key);
  }
}

/** Waits for a turn in the round. Throws `shutting_down` when the signal is aborted before. */
export function waitTurn(round: RoundRobin<() => void>, key: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = (): void => {
      round.remove(key, go);
      reject(requestAborted());
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    round.push(key, go);
  });
}

/** Throws `shutting_down` if the signal is aborted: the client has gone, or the server stops. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw requestAborted();
}

function requestAborted(): RuntimeError {
  return new RuntimeError('shutting_down', 'the request was aborted', { retryAfterMs: RETRY_AFTER_MS });
}

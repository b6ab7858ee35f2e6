import { ApiError, type JamjetClient, Unreachable } from '../../client/index.ts';
import { sleep } from '../sleep.ts';

/** Before a server that is gone is asked again. */
const RETRY_MS = 1_000;
/** Statuses of a server, or of a proxy before it, that may be otherwise in a moment. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface ReconnectorOptions {
  readonly client: JamjetClient;
  readonly signal: AbortSignal;
  /** Asked for to see whether the server is back. */
  readonly executionId: string;
  /** Told once each time. */
  readonly onLost: (reason: string) => void;
  readonly onRestored: () => void;
}

/** The way to a server that may go away: executions outlive it. */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  #reconnecting: Promise<void> | null = null;

  constructor(options: ReconnectorOptions) {
    this.#options = options;
  }

  /** Again until it works. Rejects with what does not pass by itself, or the reason of the signal. */
  async retryWhileUnreachable<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        if (!isTransient(error)) throw error;
        this.#reconnecting ??= this.#reconnect(error).finally(() => {
          this.#reconnecting = null;
        });
        await this.#reconnecting;
      }
    }
  }

  async #reconnect(reason: Error): Promise<void> {
    const { client, signal, executionId, onLost, onRestored } = this.#options;
    onLost(reason.message);
    for (;;) {
      await sleep(RETRY_MS, signal);
      try {
        await client.execution(executionId, { signal });
        onRestored();
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isTransient(error)) throw error;
      }
    }
  }
}

function isTransient(error: unknown): error is Error {
  return error instanceof Unreachable || (error instanceof ApiError && TRANSIENT_STATUSES.has(error.status));
}

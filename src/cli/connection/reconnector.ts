import { ApiError, type JamjetClient, Unreachable } from '../../client/index.ts';
import { sleep } from '../sleep.ts';

/** Delay between attempts to reconnect. */
const RETRY_MS = 1_000;
/** Statuses of a server or its proxy that are worth a retry. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

export interface ReconnectorOptions {
  readonly client: JamjetClient;
  readonly signal: AbortSignal;
  /** Requested to probe whether the server is reachable. */
  readonly executionId: string;
  /** Called once per outage. */
  readonly onLost: (reason: string) => void;
  readonly onRestored: () => void;
}

/** Repeats requests while the server is unreachable; concurrent requests share one reconnection. */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  #reconnecting: Promise<void> | null = null;

  constructor(options: ReconnectorOptions) {
    this.#options = options;
  }

  /** Retries until the request succeeds. Rejects with a permanent error, or the reason of the signal. */
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

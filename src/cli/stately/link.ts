import { ApiError, type JamjetClient, Unreachable } from '../../client.ts';
import { pause } from '../pause.ts';

/** Before a server that is gone is asked again. */
const RETRY_MS = 1_000;
/** Statuses of a server, or of a proxy before it, that may be otherwise in a moment. */
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface LinkOptions {
  readonly client: JamjetClient;
  readonly signal: AbortSignal;
  /** Asked for to see whether the server is back. */
  readonly executionId: string;
  /** Told once each time. */
  readonly lost: (reason: string) => void;
  readonly back: () => void;
}

/** The way to a server that may go away: executions outlive it. */
export class Link {
  readonly #options: LinkOptions;
  #returning: Promise<void> | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Again until it works. Rejects with what does not pass by itself, or the reason of the signal. */
  async insist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        if (!isPassing(error)) throw error;
        this.#returning ??= this.#return(error).finally(() => {
          this.#returning = null;
        });
        await this.#returning;
      }
    }
  }

  async #return(reason: Error): Promise<void> {
    const { client, signal, executionId, lost, back } = this.#options;
    lost(reason.message);
    for (;;) {
      await pause(RETRY_MS, signal);
      try {
        await client.execution(executionId, { signal });
        back();
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!isPassing(error)) throw error;
      }
    }
  }
}

function isPassing(error: unknown): error is Error {
  return error instanceof Unreachable || (error instanceof ApiError && PASSING.has(error.status));
}

import { WorkError } from '../executor.ts';

/** Longest wait for the answer to a message whose attempt was given up. */
const LATE_ANSWER_MS = 60_000;

/**
 * The signal of the message that begins a task. Until its answer is logged, it outlives an attempt that was given up for good, so that the
 * task can be cancelled once its id is known; after that, and before another attempt, which sends the message again, it is that of the attempt.
 */
export class BeginSignal {
  readonly #attempt: AbortSignal;
  readonly #isLastAttempt: boolean;
  readonly #controller = new AbortController();
  #isBegun = false;

  constructor(attempt: AbortSignal, isLastAttempt: boolean) {
    this.#attempt = attempt;
    this.#isLastAttempt = isLastAttempt;
    if (attempt.aborted) this.#aborted();
    else attempt.addEventListener('abort', this.#aborted, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Will no attempt go on with the task? A runtime that stops leaves that to the next one. */
  get isGivenUp(): boolean {
    const { aborted, reason } = this.#attempt;
    if (!aborted) return false;
    if (!(reason instanceof WorkError)) return this.#isLastAttempt;
    return !reason.retryable || (reason.errorClass === 'timeout' && this.#isLastAttempt);
  }

  /** The task is logged, or there is none: what happens from now on is known to the execution. */
  begun(): void {
    this.#isBegun = true;
    if (this.#attempt.aborted) this.#aborted();
  }

  readonly #aborted = (): void => {
    const end = (): void => this.#controller.abort(this.#attempt.reason);
    if (this.#isBegun || !this.isGivenUp) end();
    else setTimeout(end, LATE_ANSWER_MS).unref();
  };
}

/** Rejects as soon as the signal is aborted; what was begun goes on. */
export function untilAborted<T>(begun: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    begun.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

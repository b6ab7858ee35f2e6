import { isRetryable } from '../../../machines/ir/error-classes.ts';
import type { RetryPolicy } from '../../../machines/ir/workflow.ts';
import type { Journal } from '../../../machines/journal.ts';
import type { OperationEntry } from '../../../machines/messages.ts';
import { backoffMs } from '../../../machines/step/work/backoff.ts';
import { WorkError } from '../executor.ts';
import { asToolFailure } from '../failure.ts';
import type { JournalAccess } from '../journal-access.ts';
import { toJson } from '../to-json.ts';
import type { StepContext } from './context.ts';

/** A step that takes no longer is logged once, with its result. */
const SHORT_STEP_MS = 20;

/** The code of a step, and what follows a failed attempt at it. */
export interface StepCode {
  readonly run: (context: StepContext) => unknown;
  readonly retry: RetryPolicy;
  /** Of one attempt; null = no limit. */
  readonly timeoutMs: number | null;
}

export interface StepRunsHost {
  readonly clock: JournalAccess['clock'];
  /** Aborted when the work on the journal is abandoned. */
  readonly signal: AbortSignal;
  /** Of the visit. */
  idempotencyKey(): string;
  /** An attempt has ended. */
  ended(entry: OperationEntry): void;
  /** A step takes longer than a short one. */
  isLong(): void;
}

/** The steps that run in this process, and those that wait here for another attempt. */
export class StepRuns {
  readonly #host: StepRunsHost;
  /** By the number of the operation: those that wait for another attempt, with its number. */
  readonly #failed = new Map<number, { readonly attempt: number; readonly code: StepCode }>();
  /** By the number of the operation: stops the attempt in progress. */
  readonly #running = new Map<number, () => void>();
  #isAbandoned = false;
  #cancelLongStepTimer: (() => void) | null = null;

  constructor(host: StepRunsHost) {
    this.#host = host;
  }

  get areRunning(): boolean {
    return this.#running.size > 0;
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#failed.clear();
    this.#cancelLongStepTimer?.();
  }

  /** The result of a step is not wanted any more: its signal is aborted. */
  cancel(number: number): void {
    this.#failed.delete(number);
    this.#running.get(number)?.();
  }

  /** The step runs again once the journal says that the delay before this attempt is over. */
  runLater(number: number, attempt: number, code: StepCode): void {
    this.#failed.set(number, { attempt, code });
  }

  /** Runs the steps whose delay before another attempt is over. */
  runAgain(journal: Journal): void {
    for (const [number, { attempt, code }] of this.#failed) {
      const operation = journal.open(number);
      if (operation?.status !== 'running' || operation.attempt !== attempt) continue;
      this.#failed.delete(number);
      this.run(number, attempt, code);
    }
  }

  run(number: number, attempt: number, code: StepCode): void {
    const { run, retry, timeoutMs } = code;
    const { clock, signal: whole } = this.#host;
    const startedAtMs = clock.nowMs();
    const signal = new StepSignal(whole);
    const idempotencyKey = `${this.#host.idempotencyKey()}:${number}`;
    let cancelTimer: (() => void) | null = null;
    let isOver = false;
    const stop = (): boolean => {
      if (isOver) return false;
      isOver = true;
      cancelTimer?.();
      this.#running.delete(number);
      return true;
    };
    this.#running.set(number, () => {
      stop();
      signal.abort(new WorkError('the result is not wanted any more', { retryable: false, errorClass: 'cancelled' }));
    });
    const over = (entry: () => OperationEntry): void => {
      if (!stop() || this.#isAbandoned) return;
      const ended = entry();
      if (ended.type === 'fail' && ended.delayMs !== undefined) this.runLater(number, attempt + 1, code);
      this.#host.ended(ended);
    };
    const fail = (error: unknown): void =>
      over(() => failureOf(asToolFailure(error), { number, attempt, retry, idempotencyKey }));
    const complete = (output: unknown): void => {
      try {
        const copy = toJson(output);
        over(() => ({
          type: 'complete',
          operation: number,
          attempt,
          output: copy,
          durationMs: Math.round(clock.nowMs() - startedAtMs),
        }));
      } catch (error) {
        fail(error);
      }
    };
    if (timeoutMs !== null) {
      cancelTimer = clock.after(timeoutMs, () => {
        const reason = new WorkError(`timed out after ${timeoutMs / 1_000} s`, { retryable: true, errorClass: 'timeout' });
        signal.abort(reason);
        fail(reason);
      });
    }
    try {
      const result = run({
        get signal() {
          return signal.signal;
        },
        attempt,
        idempotencyKey,
      });
      if (result instanceof Promise) result.then(complete, fail);
      else void Promise.resolve(result).then(complete, fail);
    } catch (error) {
      fail(error);
    }
    this.#cancelLongStepTimer ??= clock.after(SHORT_STEP_MS, () => {
      this.#cancelLongStepTimer = null;
      this.#host.isLong();
    });
  }
}

/** The signal of an attempt at a step. It is made when it is first read: most steps do not, and each costs as much as a small step. */
class StepSignal {
  readonly #whole: AbortSignal;
  #own: AbortController | null = null;
  #signal: AbortSignal | null = null;
  #reason: WorkError | null = null;

  constructor(whole: AbortSignal) {
    this.#whole = whole;
  }

  get signal(): AbortSignal {
    if (this.#signal !== null) return this.#signal;
    this.#own = new AbortController();
    this.#signal = AbortSignal.any([this.#own.signal, this.#whole]);
    if (this.#reason !== null) this.#own.abort(this.#reason);
    return this.#signal;
  }

  abort(reason: WorkError): void {
    this.#reason = reason;
    this.#own?.abort(reason);
  }
}

interface FailedStep {
  readonly number: number;
  readonly attempt: number;
  readonly retry: RetryPolicy;
  readonly idempotencyKey: string;
}

function failureOf(error: WorkError, { number, attempt, retry, idempotencyKey }: FailedStep): OperationEntry {
  const { message, retryable, errorClass, httpStatus, retryAfterMs, details } = error;
  const failure = {
    retryable,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
  };
  const on = retry.retryable_on.length === 0 ? undefined : retry.retryable_on;
  const again = attempt + 1 < retry.max_attempts && isRetryable(on, failure);
  return {
    type: 'fail',
    operation: number,
    attempt,
    error: message,
    ...(errorClass === null ? {} : { errorClass }),
    ...(details === null ? {} : { details: details as never }),
    ...(again ? { delayMs: retryAfterMs ?? backoffMs(retry, attempt + 1, idempotencyKey) } : {}),
  };
}

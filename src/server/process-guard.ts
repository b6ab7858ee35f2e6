import { type AttemptCode, attemptOfCode, trackAttempts } from '../executors/attempt-code.ts';
import type { WorkError } from '../executors/executor.ts';
import { asToolFailure } from '../executors/failure.ts';

/** The part of `process` that says what no code has handled. */
export interface ProcessEvents {
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (thrown: unknown) => void): unknown;
  off(event: 'unhandledRejection' | 'uncaughtException', listener: (thrown: unknown) => void): unknown;
}

export interface ProcessGuardOptions {
  readonly events: ProcessEvents;
  /** Does code of users run in this process? */
  readonly hasCode: boolean;
  readonly log: (level: 'error' | 'fatal', message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** An exception was not caught, so that the process is to end. Null = Node ends it at once, as it usually does. */
  readonly onFatal: (() => void) | null;
}

/**
 * Handles what no code of this process has handled. It fails the attempt whose code it is. A rejection does nothing else: the process goes on. After an
 * exception it is to end, since a part of it may be in any state. Ends with `close`.
 */
export class ProcessGuard {
  readonly #options: ProcessGuardOptions;
  readonly #onRejection = (thrown: unknown): void => this.#unhandled('unhandled rejection', 'error', thrown);
  readonly #onException = (thrown: unknown): void => {
    this.#unhandled('uncaught exception', 'fatal', thrown);
    this.#options.onFatal?.();
  };

  constructor(options: ProcessGuardOptions) {
    this.#options = options;
    if (options.hasCode) trackAttempts();
    options.events.on('unhandledRejection', this.#onRejection);
    if (options.onFatal !== null) options.events.on('uncaughtException', this.#onException);
  }

  close(): void {
    const { events } = this.#options;
    events.off('unhandledRejection', this.#onRejection);
    events.off('uncaughtException', this.#onException);
  }

  #unhandled(problem: 'unhandled rejection' | 'uncaught exception', level: 'error' | 'fatal', thrown: unknown): void {
    const attempt = attemptOfCode();
    const hasFailed = attempt?.failUnhandled(failureOf(problem, thrown));
    const of = attempt === undefined ? '' : hasFailed === true ? ' in an attempt, which fails' : ' after the end of its attempt';
    this.#options.log(level, `${problem}${of}`, { err: thrown, ...fieldsOf(attempt) });
  }
}

function failureOf(problem: 'unhandled rejection' | 'uncaught exception', thrown: unknown): WorkError {
  const failure = asToolFailure(thrown);
  return failure.with({ message: `${problem}: ${failure.message}`, errorClass: problem.replace(' ', '_') });
}

function fieldsOf(attempt: AttemptCode | undefined): Readonly<Record<string, unknown>> {
  if (attempt === undefined) return {};
  const { executionId: execution, node, attempt: number } = attempt;
  return { execution, node, attempt: number };
}

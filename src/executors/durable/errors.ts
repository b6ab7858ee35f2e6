import type { JsonObject } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';
import { callerOf } from '../failure-description.ts';
import { textIn } from './names.ts';

/** A step that has failed for good. */
export interface FailedStep {
  readonly name: string;
  readonly attempt: number;
  readonly failure?: JsonObject;
}

/** A step of a durable function has failed for good. The function may catch it. */
export class StepError extends Error {
  /** The attempts that the step may have are used up. */
  readonly retryable = false;
  /** Name of the step; of a call, id of the workflow. */
  readonly step: string;
  /** Class of the last error; null = it has none. */
  readonly errorClass: string | null;
  readonly attempts: number;

  constructor({ name, attempt, failure = {} }: FailedStep) {
    super(textIn(failure, 'error') ?? 'failed');
    this.name = 'StepError';
    this.step = name;
    this.errorClass = textIn(failure, 'error_class');
    this.attempts = attempt + 1;
  }
}

/** A workflow that a durable function has called has failed, or was cancelled. The function may catch it. */
export class CallError extends StepError {
  /** The child execution; null = it could not be started. */
  readonly executionId: string | null;

  constructor(call: FailedStep) {
    super(call);
    this.name = 'CallError';
    this.executionId = textIn(call.failure ?? {}, 'child_execution_id');
  }
}

/** What a function does at a place of its journal, in words. */
export interface Performed {
  readonly kind: string;
  readonly name: string;
}

const ADVICE =
  'deploy code that does the same operations in the same order and retry the execution, branch on ctx.version where the code has changed, or fork the execution';

/** The function does not do what it has done before. `actual`: null = it has ended; otherwise the function is the caller. */
export function journalMismatch(position: number, logged: Performed, actual: Performed | null): WorkError {
  const line = actual === null ? null : callerOf(new Error('journal mismatch'));
  const where = line === null ? '' : ` (${line})`;
  const now = actual === null ? 'the function ended before it' : `the function now begins ${inWords(actual)}${where}`;
  return new WorkError(`journal_mismatch: operation ${position} was ${inWords(logged)}, but ${now}: ${ADVICE}`, {
    retryable: false,
    errorClass: 'journal_mismatch',
  });
}

function inWords({ kind, name }: Performed): string {
  return kind === name ? kind : `${kind} "${name}"`;
}

import type { Job, RetryOutcomes } from '../../client/index.ts';
import { shortId } from '../../views/short-id.ts';
import type { Paint } from '../terminal/paint.ts';
import { plain } from '../terminal/text.ts';

/** Null if they are not known, or if the server is of a release that does not tell. */
export function outcomesOf({ outcomes }: { readonly outcomes?: RetryOutcomes | null }): RetryOutcomes | null {
  return outcomes ?? null;
}

/** `97 completed, 20 failed again, 3 still running`. */
export function outcomesText(outcomes: RetryOutcomes): string {
  const { completed, failed, limit_exceeded, cancelled, running, paused, removed } = outcomes;
  const rest: readonly (readonly [number, string])[] = [
    [failed, 'failed again'],
    [limit_exceeded, 'stopped at a limit'],
    [cancelled, 'cancelled'],
    [running, 'still running'],
    [paused, 'paused'],
    [removed, 'removed'],
  ];
  const parts = rest.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  return [`${completed} completed`, ...parts].join(', ');
}

/** A line for each of the errors with which retried executions failed again: `18 × charge: HTTP 500  exec_0199…`. */
export function failureLines({ errors }: RetryOutcomes, paint: Paint): readonly string[] {
  return errors.map(
    ({ count, error, example_execution_id }) =>
      `${count} × ${paint.red(plain(error))}  ${paint.dim(`for example ${shortId(example_execution_id)}`)}`,
  );
}

/** How many of the executions that a job retried ended without completing: in another failure, or at a limit. */
export function failedAgain(job: Job): number {
  const outcomes = outcomesOf(job);
  return outcomes === null ? 0 : outcomes.failed + outcomes.limit_exceeded;
}

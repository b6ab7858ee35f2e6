import type { StepResult } from '../../../machines/run.ts';
import type { IgnoredState } from '../types/executions.ts';

/** What a step has left out of the state that it was given. */
export function ignoredIn({ ignored }: Pick<StepResult, 'ignored'>): IgnoredState {
  return ignored.length === 0 ? {} : { ignored };
}

import type { Effect, Run } from '../../../machines/run.ts';
import type { RuntimeContext } from '../context.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';

/**
 * Calls `handler` after each commit of this runtime with every effect that its steps asked for, in order, and the run of that
 * step. An effect whose handler throws is reported and does not keep the others from theirs.
 */
export function onEffects(
  { events, onError }: Pick<RuntimeContext, 'events' | 'onError'>,
  handler: (execution: CachedExecution, effect: Effect, run: Run) => void,
): void {
  events.on('committed', ({ after, effects }) => {
    for (const { effect, run } of effects) {
      try {
        handler(after, effect, run);
      } catch (error) {
        onError(error);
      }
    }
  });
}

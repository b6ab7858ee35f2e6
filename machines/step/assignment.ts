import { type AnyMachineSnapshot, assign } from 'xstate';
import type { Context } from './context.ts';
import type { Stimulus } from './stimulus.ts';

/**
 * XState's `assign`, but for how the next snapshot comes about: XState's own works out once more where the machine is, which an assignment
 * does not change, and which takes as long as the machine is wide. A test holds the two against each other.
 */
export function assignment<P>(next: (context: Context, stimulus: Stimulus, params: P) => Context) {
  const resolve = (
    _scope: unknown,
    snapshot: AnyMachineSnapshot,
    { context, event }: { readonly context: Context; readonly event: Stimulus },
    params: P,
  ) => [{ ...snapshot, context: next(context, event, params) }, undefined, undefined];
  return Object.assign(
    assign(({ context, event }: { context: Context; event: Stimulus }, params: P) => next(context, event, params)),
    { resolve },
  );
}

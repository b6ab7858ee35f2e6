import { type AnyMachineSnapshot, assign } from 'xstate';
import type { Context } from './context.ts';
import type { MachineEvent } from './machine-event.ts';

/**
 * XState's `assign`, but for how the next snapshot comes about: XState's own works out once more where the machine is, which an assignment
 * does not change, and which takes as long as the machine is wide. A test holds the two against each other.
 */
export function assignment<P>(next: (context: Context, event: MachineEvent, params: P) => Context) {
  const resolve = (
    _scope: unknown,
    snapshot: AnyMachineSnapshot,
    { context, event }: { readonly context: Context; readonly event: MachineEvent },
    params: P,
  ) => [{ ...snapshot, context: next(context, event, params) }, undefined, undefined];
  return Object.assign(
    assign(({ context, event }: { context: Context; event: MachineEvent }, params: P) => next(context, event, params)),
    { resolve },
  );
}

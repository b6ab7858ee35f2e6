import { finalizersFor } from '../../program/finalizers.ts';
import type { EndParams } from '../../program/parameters.ts';
import type { PendingInput } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';
import type { MachineEvent } from '../machine-event.ts';
import { failureMessage } from '../reset.ts';

/** The execution is about to end, and nodes run before that. They can read how it ends: `output.status`, `output.error`. */
export function finalize(step: StepContext, event: MachineEvent, { as: status }: EndParams): void {
  const { graph, outputUse } = step.tables;
  const cancelled = event.type === 'cancel' ? event.reason : null;
  const failed = step.halt?.error ?? failureMessage(step.now);
  const error = status === 'cancelled' ? cancelled : status === 'failed' ? failed : null;
  const left = finalizersFor(graph, status);
  const input: PendingInput = ['', { status, error }];
  const readers = left.filter((node) => outputUse.readsInput[step.indexOf(node)] === true);
  step.beginEnding({ status, error, left }, Object.fromEntries(readers.map((node) => [node, [input]])));
}

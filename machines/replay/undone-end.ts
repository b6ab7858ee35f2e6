import type { Run } from '../run.ts';
import { METERED, usageIn } from '../step/actions/usage.ts';
import type { Context } from '../step/context/context.ts';
import { StepContext } from '../step/context/step-context.ts';
import type { Program } from '../step/program.ts';
import { LogMismatch, type TimedEvent } from './log.ts';
import { budgetsOfResume } from './message-in-log.ts';
import type { RetryResets } from './retry-reset.ts';

// A retry undoes the end of an execution with all that its finalizers did. Its events are passed over one by one, from `workflow_finalizing`
// to `workflow_failed`. What was accepted from others counts on: results of work beside the workflow, and new budgets; and so does what was
// used, and how often the finalizers were visited.

export function isUndoingEnd(run: Run): boolean {
  return (run.snapshot.context as Context).ending?.undone === true;
}

/** Does a node wait for the retry that has reset its failure? */
export function hasResetFailure(run: Run): boolean {
  const { active } = run.snapshot.context as Context;
  return active.entries().some(([, { phase }]) => phase === 'failed');
}

/** The run after an event of an end that a retry has undone. */
export function passOver(program: Program, run: Run, event: TimedEvent, resets: RetryResets): Run {
  const { sequence, type, node_id, data } = event;
  if (sequence <= run.seq) throw new LogMismatch(sequence, `follows sequence ${run.seq}`);
  const step = new StepContext(program.tables, run.snapshot.context as Context, run.seq, null);
  const isOver = type === 'workflow_failed' && resets.ends.has(sequence);
  step.set({ ending: isOver ? null : { status: 'failed', error: null, left: [], undone: true } });
  const isFinalizer = node_id !== null && program.tables.graph.finalizers.includes(step.indexOf(node_id));
  if (isFinalizer && typeof data.activation === 'number') step.setVisits(node_id, data.activation);
  if (type === 'node_completed' && data.activation === 0) step.detachedWorkCompletes(data.state_patch);
  if (METERED.has(type)) step.addUsage(usageIn(data));
  if (type === 'workflow_resumed') step.raiseBudgets(budgetsOfResume(data).budgets);
  const context = step.freeze();
  return { ...run, snapshot: { ...run.snapshot, context }, seq: sequence, steps: context.steps, knownSize: null };
}

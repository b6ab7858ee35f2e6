import type { Usage } from '../../messages.ts';
import { definitionOf } from '../../nodes/index.ts';
import type { FailParams } from '../../program/parameters.ts';
import type { StepContext } from '../context/step-context.ts';
import type { MachineEvent } from '../machine-event.ts';
import { countAttempt } from '../work/autonomy-gate.ts';
import { meterUsage, usageIn } from './budgets.ts';
import { addCause } from './causes.ts';
import { noteScoring } from './scoring.ts';
import { usageEventData } from './usage.ts';

/**
 * Fails a node whose transition cannot be chosen within the evaluation budget: it does not complete, and its output changes nothing. What it
 * used counts all the same, and may halt the execution before the node is left (`leaveOverBudget`).
 */
export function failOverBudget(step: StepContext, event: MachineEvent, node: string): void {
  const index = step.indexOf(node);
  if (step.tables.graph.isControl(index)) step.flushSkips(index);
  const isHandled = step.tables.routes[index]?.failed?.[0] !== undefined;
  const isActive = step.now.active.get(node) !== undefined;
  if (step.tables.graph.isFirstJoin(index)) step.closeJoinRegion(index);
  step.inputs.clearRead(node);
  if (!isActive) {
    addFailureEvent(step, node, step.countVisit(node), 0);
    countFailure(step, node, isHandled);
    return;
  }
  const active = step.endVisit(node);
  if (event.type !== 'done') addCause(step, event, node, active);
  addFailureEvent(step, node, active.activation, active.attempt, event.type === 'done' ? event.usage : undefined);
  noteScoring(step, node, 'failed');
  countFailure(step, node, isHandled);
  countAttempt(step, node, event, 'failed');
  meterUsage(step, node, usageIn(event));
}

/** Leaves a node that has failed by the evaluation budget: instead of completing, or because it is a condition node. */
export function leaveOverBudget(step: StepContext, { node, handled, update }: FailParams): void {
  const index = step.indexOf(node);
  if (definitionOf(step.tables.graph.node(index).kind).branching === 'choice') {
    step.flushSkips(index);
    step.inputs.clear(node);
    addFailureEvent(step, node, step.countVisit(node), 0);
    countFailure(step, node, handled === true);
  }
  step.followTransition(node, update);
}

function countFailure(step: StepContext, node: string, isHandled: boolean): void {
  if (isHandled) step.countHandledFailure();
  else step.addFailure(node);
}

function addFailureEvent(step: StepContext, node: string, activation: number, attempt: number, usage?: Usage): void {
  const { error, errorClass } = step.evaluation.failureOf(node);
  const data = { error, attempt, retryable: false, error_class: errorClass, ...usageEventData(usage), activation };
  step.addVisitEnd('node_failed', node, 'failed', data);
  step.inputs.keepOutput(node, { error, node_id: node, attempt }, null);
}

import { definitionOf } from '../../nodes/index.ts';
import type { ActiveVisit } from '../context/active-visits.ts';
import type { StepContext } from '../context/step-context.ts';
import { type FailEvent, isTimerEvent, type MachineEvent } from '../machine-event.ts';
import { addScored } from './scoring.ts';
import { usageEventData } from './usage.ts';

/** Logs the event that completed or failed a visit, or one of its items, if the log has one of its own for it. */
export function addCause(step: StepContext, event: MachineEvent, node: string, active: ActiveVisit, item?: number): void {
  const { activation, key, map } = active;
  const of = item === undefined ? { activation } : { activation, item };
  if (event.type === 'done') {
    const { kind } = step.tables.graph.node(step.indexOf(node));
    const tool = definitionOf(kind).tool(kind);
    addScored(step, event, node, activation);
    if (tool !== null && map === undefined)
      step.addEvent('tool_call_completed', node, Object.assign({ tool, duration_ms: event.durationMs }, of));
  } else if (event.type === 'child' && event.change.status === 'completed') {
    const { result, usage } = event.change;
    const data = { child_execution_id: event.childId, result, ...usageEventData(usage) };
    step.addEvent('child_workflow_completed', node, Object.assign(data, of));
  } else if (event.type === 'fail' && event.childId !== undefined) {
    const { childId, error, usage } = event;
    const data = { child_execution_id: childId, error, ...usageEventData(usage) };
    step.addEvent('child_workflow_failed', node, Object.assign(data, of));
  } else if (event.type === 'decide') {
    addApproval(step, event, activation, item);
  } else if (isTimerEvent(event)) {
    step.addEvent('timer_fired', node, { activation, ...(key === undefined ? {} : { correlation_key: key }) });
  }
}

export function addApproval(step: StepContext, event: DecideEvent, activation: number, item?: number): void {
  const { node, decision, userId, comment, patch } = event;
  const data = { user_id: userId, decision, comment, state_patch: patch, activation };
  step.addEvent('approval_received', node, item === undefined ? data : Object.assign(data, { item }));
  step.patches.apply(patch);
}

type DecideEvent = MachineEvent & { readonly type: 'decide' };

export function rejectionText({ userId, comment }: DecideEvent): string {
  return `approval rejected by ${userId}${comment ? `: ${comment}` : ''}`;
}

/** The failure of a held node whose approval is rejected. */
export function rejection(event: DecideEvent): FailEvent {
  return { type: 'fail', node: event.node, error: rejectionText(event), retryable: false, delayMs: 0 };
}

import { momentMs } from '../../duration.ts';
import type { JsonObject } from '../../json.ts';
import { definitionOf, type Kind } from '../../nodes/index.ts';
import { type ParkTimer, parkTimer } from '../../program/timers.ts';
import type { StepEnv } from '../../run.ts';
import { shortened } from '../../shortened.ts';
import { type ActiveVisit, visitIn } from '../context/active-visits.ts';
import type { StepContext } from '../context/step-context.ts';
import type { FailEvent, MachineEvent } from '../machine-event.ts';
import { holdAtLimit } from './autonomy-gate.ts';
import { beginAttempt } from './begin-attempt.ts';
import { beginItems } from './items.ts';
import { beginJudgement } from './judgement.ts';
import { applyRuling, rulingOn } from './policy-gate.ts';
import { budgetFailure, renderAtNode } from './templates.ts';

/** Begins a node that was reached, or its next attempt. Returns an event for the machine if the node ends as soon as it begins. */
export function beginNode(step: StepContext, node: string, env: StepEnv): MachineEvent | null {
  const known = step.now.active.get(node);
  const active: ActiveVisit = known ?? { activation: step.countVisit(node), attempt: 0, phase: 'queued' };
  const { kind } = step.tables.nodeOf(node);
  const behaviour = definitionOf(kind).behaviour(kind);
  if (behaviour === 'judge') return beginJudgement(step, node, active, env);
  if (behaviour === 'items') return beginItems(step, node, active, env);
  const ruling = rulingOn(step, node, active, known === undefined, env);
  if (step.evaluation.hasExceeded(node)) {
    step.setActive(node, visitIn('queued', active));
    return budgetFailure(step, node);
  }
  if (ruling !== null) return applyRuling(step, node, active, ruling, env.nowMs);
  // The same attempt begins again: limits are for those that follow.
  const isAgain = (known?.phase === 'queued' || known?.phase === 'running') && known.approved !== true;
  const limited = isAgain ? null : holdAtLimit(step, node, active, env.nowMs);
  if (limited !== null) return limited === 'held' ? null : limited;
  if (known !== undefined) return beginAttempt(step, node, known, kind, env);
  switch (definitionOf(kind).behaviour(kind)) {
    case 'approval':
      return beginApproval(step, node, active.activation, kind, env);
    case 'wait':
      return beginWait(step, node, active.activation, kind, env);
    default:
      return beginAttempt(step, node, active, kind, env);
  }
}

function beginApproval(step: StepContext, node: string, activation: number, kind: Kind, env: StepEnv): MachineEvent | null {
  const rendered = renderApproval(step, node, activation, kind, env);
  if (rendered === null) {
    step.setActive(node, { activation, attempt: 0, phase: 'approval' });
    return budgetFailure(step, node);
  }
  const { description, data } = rendered;
  step.addEvent('node_started', node, { attempt: 0, activation });
  const since = step.addEvent('interrupt_raised', node, data);
  step.setActive(node, { activation, attempt: 0, phase: 'approval', since, atMs: env.nowMs, description });
  return null;
}

/**
 * Renders the message of an approval from the current state, and the data of its `interrupt_raised`. Null = the evaluation budget does not
 * suffice.
 */
export function renderApproval(
  step: StepContext,
  node: string,
  activation: number,
  kind: Kind,
  env: Pick<StepEnv, 'executionId'>,
): { readonly description: string; readonly data: JsonObject } | null {
  const template = step.tables.template(step.indexOf(node));
  let description = definitionOf(kind).startTemplate(kind)?.template ?? '';
  if (template !== null) {
    const value = renderAtNode(step, node, template, env.executionId, 'description');
    if (value === undefined) return null;
    description = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return { description, data: { reason: 'human_approval', description, state_for_review: step.now.state, activation } };
}

function beginWait(step: StepContext, node: string, activation: number, kind: Kind, env: StepEnv): MachineEvent | null {
  const since = step.addEvent('node_started', node, { attempt: 0, activation });
  const key = definitionOf(kind).waitsForEvent(kind);
  const parked: ActiveVisit = { activation, attempt: 0, phase: 'waiting', since, ...(key === null ? {} : { key }) };
  step.setActive(node, parked);
  const buffered = step.now.earlyEvents.find((event) => event.key === key);
  if (buffered !== undefined) {
    step.set({ earlyEvents: step.now.earlyEvents.filter((event) => event !== buffered) });
    return { type: 'event', node, payload: buffered.payload, sequence: buffered.sequence };
  }
  const timer = parkTimer(kind, node);
  return timer === null ? null : setWaitTimer(step, node, timer, env);
}

/** Sets the timer of a wait. Returns the failure of the node if its template gives no time. */
export function setWaitTimer(step: StepContext, node: string, { id, ms }: ParkTimer, env: StepEnv): FailEvent | null {
  const atMs = ms === null ? renderedTime(step, node, env) : env.nowMs + ms;
  if (typeof atMs !== 'number') return atMs;
  step.timers.set(id, Math.max(0, atMs - env.nowMs));
  const { key, activation } = step.activeOf(node);
  const data: JsonObject = {
    fire_at: new Date(atMs).toISOString(),
    ...(key === undefined ? {} : { correlation_key: key }),
    activation,
  };
  step.addEvent('timer_created', node, data);
  return null;
}

/** The time that the template of a wait gives. */
function renderedTime(step: StepContext, node: string, env: StepEnv): number | FailEvent {
  const template = step.tables.template(step.indexOf(node));
  const value = template === null ? null : renderAtNode(step, node, template, env.executionId, 'until');
  if (value === undefined) return budgetFailure(step, node);
  const atMs = momentMs(value, env.nowMs);
  if (atMs !== null) return atMs;
  const error = `cannot tell until when to wait: ${shortened(JSON.stringify(value), 100)} is no time and no duration`;
  return { type: 'fail', node, error, errorClass: 'validation', retryable: false, delayMs: 0 };
}

import type { JsonObject } from '../../json.ts';
import { definitionOf, type Kind } from '../../nodes/index.ts';
import type { StepEnv } from '../../run.ts';
import { strategyNodeBegins } from '../actions/strategy.ts';
import { type ActiveVisit, visitOf } from '../context/active-visits.ts';
import type { StepContext } from '../context/step-context.ts';
import type { MachineEvent } from '../machine-event.ts';
import { holdAtLimit } from './autonomy-gate.ts';
import { beginJudgement } from './judgement.ts';
import { applyRuling, rulingOn } from './policy-gate.ts';
import { addAttemptStart } from './recorded-input.ts';
import { budgetFailure, renderAtNode } from './templates.ts';

/** Begins a node that was reached, or its next attempt. Returns an event for the machine if the node ends as soon as it begins. */
export function beginNode(step: StepContext, node: string, env: StepEnv): MachineEvent | null {
  const known = step.now.active.get(node);
  const active: ActiveVisit = known ?? { activation: step.countVisit(node), attempt: 0, phase: 'queued' };
  const { kind } = step.tables.nodeOf(node);
  if (definitionOf(kind).behaviour(kind) === 'judge') return beginJudgement(step, node, active, env);
  const ruling = rulingOn(step, node, active, known === undefined, env);
  if (step.evaluation.hasExceeded(node)) {
    step.setActive(node, { ...visitOf(active), phase: 'queued' });
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

function beginAttempt(step: StepContext, node: string, active: ActiveVisit, kind: Kind, env: StepEnv): null {
  const { activation, attempt } = active;
  if (definitionOf(kind).behaviour(kind) === 'child') {
    addAttemptStart(step, node, env.runtimeId, active);
    step.setActive(node, begunVisit(active, 'running', true));
    step.effects.add([{ type: 'spawn', node, activation, attempt }]);
    return null;
  }
  const queue = definitionOf(kind).queue(kind) ?? 'general';
  const local = env.isLocal(node);
  const scheduled = local
    ? { queue_type: queue, attempt, in_process: true, activation }
    : { queue_type: queue, attempt, activation };
  if (attempt === 0) strategyNodeBegins(step, node);
  step.addEvent('node_scheduled', node, scheduled);
  const waits = local && env.startsAtOnce?.(node) === false;
  if (local && !waits) {
    addAttemptStart(step, node, env.runtimeId, active);
    step.setActive(node, begunVisit(active, 'running', true));
  } else {
    step.setActive(node, begunVisit(active, 'queued', local));
  }
  const work = { type: 'work', node, activation, attempt, local, queue } as const;
  step.effects.add([waits ? { ...work, waits } : work]);
  return null;
}

/** Every node begins with one: objects that are made at once, without spreading others, cost a fraction. */
function begunVisit({ activation, attempt, approved }: ActiveVisit, phase: 'queued' | 'running', local: boolean): ActiveVisit {
  if (approved === true)
    return local ? { activation, attempt, approved, phase, local } : { activation, attempt, approved, phase };
  return local ? { activation, attempt, phase, local } : { activation, attempt, phase };
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
  let description = definitionOf(kind).prompt(kind)?.template ?? '';
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
  const parkedMs = definitionOf(kind).parkTimeoutMs(kind);
  if (parkedMs !== null) step.addEvent('timer_created', node, timerCreatedData(env.nowMs + parkedMs, parked));
  return null;
}

export function timerCreatedData(atMs: number, { key, activation }: ActiveVisit): JsonObject {
  return { fire_at: new Date(atMs).toISOString(), ...(key === undefined ? {} : { correlation_key: key }), activation };
}

import { render } from '../expression/template.ts';
import type { JsonObject } from '../json.ts';
import type { Kind } from '../nodes/index.ts';
import { definitionOf } from '../nodes/index.ts';
import type { Effect, StepEnv } from '../run.ts';
import type { ActiveVisit } from './context.ts';
import { languageOf, own } from './context.ts';
import type { MachineEvent } from './machine-event.ts';
import type { StepContext } from './step-context.ts';
import { executionFacts } from './work.ts';

/** What beginning a node asks for. `stimulus`: it ended as soon as it began. */
interface BeginResult {
  readonly effects: readonly Effect[];
  readonly event: MachineEvent | null;
}

const NOTHING: BeginResult = { effects: [], event: null };

/** A node that was reached begins, or its next attempt does. `logged` = the sequence of the last event so far. */
export function beginNode(context: StepContext, node: string, env: StepEnv, lastSequence: number): BeginResult {
  const known = own(context.now.active, node);
  const { kind } = context.statics.nodeOf(node);
  const behaviour = definitionOf(kind).behaviour(kind);
  if (known !== undefined) return beginAttempt(context, node, known, kind, env);
  const activation = context.countVisit(node);
  const verdict = context.statics.verdicts.get(node);
  const first: ActiveVisit = { activation, attempt: 0, phase: 'queued' };
  if (verdict?.decision === 'blocked') {
    context.setActive(node, first);
    context.addEvent('policy_violation', node, {
      rule: verdict.name,
      decision: 'blocked',
      policy_scope: verdict.scope,
      activation,
    });
    return {
      effects: [],
      event: { type: 'fail', node, error: `blocked by policy: ${verdict.name}`, retryable: false, delayMs: 0 },
    };
  }
  if (verdict?.decision === 'require_approval') {
    context.setActive(node, { ...first, phase: 'held', since: lastSequence + 1, atMs: env.nowMs });
    context.addEvent('tool_approval_required', node, {
      tool_name: verdict.name,
      approver: 'human',
      context: { node_id: node },
      activation,
    });
    return NOTHING;
  }
  if (behaviour === 'approval') return beginApproval(context, node, activation, kind, env, lastSequence);
  if (behaviour === 'wait') return beginWait(context, node, activation, kind, env, lastSequence);
  return beginAttempt(context, node, first, kind, env);
}

function beginAttempt(context: StepContext, node: string, active: ActiveVisit, kind: Kind, env: StepEnv): BeginResult {
  const { activation, attempt } = active;
  if (kind.type === 'subgraph') {
    context.addEvent('node_started', node, { worker_id: env.runtimeId, attempt, activation });
    context.setActive(node, { activation, attempt, phase: 'running', local: true });
    return { effects: [{ type: 'spawn', node, activation, attempt }], event: null };
  }
  const queue = env.queueOf?.(node) ?? definitionOf(kind).queue(kind) ?? 'general';
  const local = env.isLocal(node);
  context.addEvent('node_scheduled', node, { queue_type: queue, attempt, ...(local ? { in_process: true } : {}), activation });
  const waits = local && env.startsAtOnce?.(node) === false;
  if (local && !waits) {
    context.addEvent('node_started', node, { worker_id: env.runtimeId, attempt, activation });
    context.setActive(node, { activation, attempt, phase: 'running', local: true });
  } else {
    context.setActive(node, { activation, attempt, phase: 'queued', ...(local ? { local: true as const } : {}) });
  }
  const work = { type: 'work', node, activation, attempt, local, ...(waits ? { waits } : {}), queue } as const;
  return { effects: [work], event: null };
}

function beginApproval(
  context: StepContext,
  node: string,
  activation: number,
  kind: Kind,
  env: StepEnv,
  lastSequence: number,
): BeginResult {
  const rendered = renderApproval(context, node, activation, kind, env);
  if (rendered === null) {
    context.setActive(node, { activation, attempt: 0, phase: 'approval' });
    return { effects: [], event: budgetFailure(context, node) };
  }
  const { description, data } = rendered;
  context.addEvent('node_started', node, { attempt: 0, activation });
  context.addEvent('interrupt_raised', node, data);
  context.setActive(node, { activation, attempt: 0, phase: 'approval', since: lastSequence + 2, atMs: env.nowMs, description });
  return NOTHING;
}

/** The failure of a node whose expressions the budget of the step does not suffice for. */
export function budgetFailure(context: StepContext, node: string): MachineEvent {
  return { type: 'fail', node, ...context.statics.evaluation.failureOf(node), retryable: false, delayMs: 0 };
}

/**
 * What a person is asked, rendered from the state as it is now, and what `interrupt_raised` says of it. Null when the budget of the step does
 * not suffice.
 */
export function renderApproval(
  context: StepContext,
  node: string,
  activation: number,
  kind: Kind,
  env: Pick<StepEnv, 'executionId'>,
): { readonly description: string; readonly data: JsonObject } | null {
  const template = context.statics.template(context.indexOf(node));
  let description = kind.type === 'human_approval' ? kind.description : '';
  if (template !== null) {
    const { state, input, env: vars } = context.now;
    const facts = executionFacts(context.statics.workflow, env.executionId, node);
    const language = languageOf(context.now);
    const { evaluation } = context.statics;
    const scope = { state, output: context.lastInput(node), input, env: vars, facts, language };
    const { value, errors, exceeded } = render(template, scope, evaluation.budget);
    if (exceeded !== undefined) {
      evaluation.noteExceeded(node, exceeded);
      return null;
    }
    evaluation.diagnostics.push(...errors.map((error) => `description of node "${node}": ${error}`));
    description = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return { description, data: { reason: 'human_approval', description, state_for_review: context.now.state, activation } };
}

function beginWait(
  context: StepContext,
  node: string,
  activation: number,
  kind: Kind,
  env: StepEnv,
  lastSequence: number,
): BeginResult {
  if (kind.type !== 'wait') throw new TypeError(`${kind.type} is no wait`);
  context.addEvent('node_started', node, { attempt: 0, activation });
  const key = kind.condition === 'timer' ? null : kind.correlation_key;
  const parked: ActiveVisit = {
    activation,
    attempt: 0,
    phase: 'waiting',
    since: lastSequence + 1,
    ...(key === null ? {} : { key }),
  };
  context.setActive(node, parked);
  const buffered = context.now.early.find((event) => event.key === key);
  if (buffered !== undefined) {
    context.set({ early: context.now.early.filter((event) => event !== buffered) });
    return { effects: [], event: { type: 'event', node, payload: buffered.payload, sequence: buffered.sequence } };
  }
  const parkedMs = definitionOf(kind).parkTimeoutMs(kind);
  if (parkedMs !== null) {
    context.addEvent('timer_created', node, timerCreatedData(env.nowMs + parkedMs, parked));
  }
  return NOTHING;
}

/** What `timer_created` says of a wait. */
export function timerCreatedData(atMs: number, { key, activation }: ActiveVisit): JsonObject {
  return { fire_at: new Date(atMs).toISOString(), ...(key === undefined ? {} : { correlation_key: key }), activation };
}

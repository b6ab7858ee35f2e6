import { parkedForMs } from '../compile/timers.ts';
import type { JsonObject } from '../json.ts';
import type { Kind } from '../nodes/index.ts';
import { definitionOf } from '../nodes/index.ts';
import type { Effect, StepEnv } from '../run.ts';
import { render } from '../template.ts';
import type { Active } from './context.ts';
import { languageOf, own } from './context.ts';
import type { Draft } from './draft.ts';
import type { Stimulus } from './stimulus.ts';
import { factsOf } from './work.ts';

/** What beginning a node asks for. `stimulus`: it ended as soon as it began. */
interface Begun {
  readonly effects: readonly Effect[];
  readonly stimulus: Stimulus | null;
}

const NOTHING: Begun = { effects: [], stimulus: null };

/** A node that was reached begins, or its next attempt does. `logged` = the sequence of the last event so far. */
export function beginNode(draft: Draft, node: string, env: StepEnv, logged: number): Begun {
  const known = own(draft.now.active, node);
  const { kind } = draft.statics.nodeOf(node);
  const behaviour = definitionOf(kind).behaviour(kind);
  if (known !== undefined) return attempt(draft, node, known, kind, env);
  const activation = draft.visit(node);
  const verdict = draft.statics.verdicts.get(node);
  const first: Active = { activation, attempt: 0, phase: 'queued' };
  if (verdict?.decision === 'blocked') {
    draft.activate(node, first);
    draft.fact('policy_violation', node, { rule: verdict.name, decision: 'blocked', policy_scope: verdict.scope, activation });
    return {
      effects: [],
      stimulus: { type: 'fail', node, error: `blocked by policy: ${verdict.name}`, retryable: false, delayMs: 0 },
    };
  }
  if (verdict?.decision === 'require_approval') {
    draft.activate(node, { ...first, phase: 'held', since: logged + 1, atMs: env.nowMs });
    draft.fact('tool_approval_required', node, {
      tool_name: verdict.name,
      approver: 'human',
      context: { node_id: node },
      activation,
    });
    return NOTHING;
  }
  if (behaviour === 'approval') return approval(draft, node, activation, kind, env, logged);
  if (behaviour === 'wait') return wait(draft, node, activation, kind, env, logged);
  return attempt(draft, node, first, kind, env);
}

function attempt(draft: Draft, node: string, active: Active, kind: Kind, env: StepEnv): Begun {
  const { activation, attempt } = active;
  if (kind.type === 'subgraph') {
    draft.fact('node_started', node, { worker_id: env.runtimeId, attempt, activation });
    draft.activate(node, { activation, attempt, phase: 'running', local: true });
    return { effects: [{ type: 'spawn', node, activation, attempt }], stimulus: null };
  }
  const queue = env.queueOf?.(node) ?? definitionOf(kind).queue(kind) ?? 'general';
  const local = env.isLocal(node);
  draft.fact('node_scheduled', node, { queue_type: queue, attempt, ...(local ? { in_process: true } : {}), activation });
  const waits = local && env.startsAtOnce?.(node) === false;
  if (local && !waits) {
    draft.fact('node_started', node, { worker_id: env.runtimeId, attempt, activation });
    draft.activate(node, { activation, attempt, phase: 'running', local: true });
  } else {
    draft.activate(node, { activation, attempt, phase: 'queued', ...(local ? { local: true as const } : {}) });
  }
  const work = { type: 'work', node, activation, attempt, local, ...(waits ? { waits } : {}), queue } as const;
  return { effects: [work], stimulus: null };
}

function approval(draft: Draft, node: string, activation: number, kind: Kind, env: StepEnv, logged: number): Begun {
  const asked = interrupt(draft, node, activation, kind, env);
  if (asked === null) {
    draft.activate(node, { activation, attempt: 0, phase: 'approval' });
    return { effects: [], stimulus: overBudget(draft, node) };
  }
  const { description, data } = asked;
  draft.fact('node_started', node, { attempt: 0, activation });
  draft.fact('interrupt_raised', node, data);
  draft.activate(node, { activation, attempt: 0, phase: 'approval', since: logged + 2, atMs: env.nowMs, description });
  return NOTHING;
}

/** The failure of a node whose expressions the budget of the step does not suffice for. */
export function overBudget(draft: Draft, node: string): Stimulus {
  return { type: 'fail', node, ...draft.statics.evaluation.failureOf(node), retryable: false, delayMs: 0 };
}

/**
 * What a person is asked, rendered from the state as it is now, and what `interrupt_raised` says of it. Null when the budget of the step does
 * not suffice.
 */
export function interrupt(
  draft: Draft,
  node: string,
  activation: number,
  kind: Kind,
  env: Pick<StepEnv, 'executionId'>,
): { readonly description: string; readonly data: JsonObject } | null {
  const template = draft.statics.template(draft.indexOf(node));
  let description = kind.type === 'human_approval' ? kind.description : '';
  if (template !== null) {
    const { state, input, env: vars } = draft.now;
    const facts = factsOf(draft.statics.workflow, env.executionId, node);
    const language = languageOf(draft.now);
    const { evaluation } = draft.statics;
    const scope = { state, output: draft.received(node), input, env: vars, facts, language };
    const { value, errors, exceeded } = render(template, scope, evaluation.budget);
    if (exceeded !== undefined) {
      evaluation.exceed(node, exceeded);
      return null;
    }
    evaluation.diagnostics.push(...errors.map((error) => `description of node "${node}": ${error}`));
    description = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return { description, data: { reason: 'human_approval', description, state_for_review: draft.now.state, activation } };
}

function wait(draft: Draft, node: string, activation: number, kind: Kind, env: StepEnv, logged: number): Begun {
  if (kind.type !== 'wait') throw new TypeError(`${kind.type} is no wait`);
  draft.fact('node_started', node, { attempt: 0, activation });
  const key = kind.condition === 'timer' ? null : kind.correlation_key;
  const parked: Active = { activation, attempt: 0, phase: 'waiting', since: logged + 1, ...(key === null ? {} : { key }) };
  draft.activate(node, parked);
  const early = draft.now.early.find((event) => event.key === key);
  if (early !== undefined) {
    draft.set({ early: draft.now.early.filter((event) => event !== early) });
    return { effects: [], stimulus: { type: 'event', node, payload: early.payload, sequence: early.sequence } };
  }
  const parkedMs = parkedForMs(kind);
  if (parkedMs !== null) {
    draft.fact('timer_created', node, timerData(env.nowMs + parkedMs, parked));
  }
  return NOTHING;
}

/** What `timer_created` says of a wait. */
export function timerData(atMs: number, { key, activation }: Active): JsonObject {
  return { fire_at: new Date(atMs).toISOString(), ...(key === undefined ? {} : { correlation_key: key }), activation };
}

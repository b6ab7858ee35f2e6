import { type AttemptRole, type AutonomyCounts, reachedLimit } from '../../autonomy.ts';
import type { JsonObject } from '../../json.ts';
import { definitionOf, type Kind } from '../../nodes/index.ts';
import { usageIn } from '../actions/budgets.ts';
import { type ActiveVisit, visitIn } from '../context/active-visits.ts';
import { own } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';
import type { FailEvent, MachineEvent } from '../machine-event.ts';
import { carriedCall } from './held-calls.ts';
import { heldContext } from './policy-gate.ts';

const TARGET = 'human_approval';

/**
 * Holds an attempt that is about to begin if its agent has reached a limit, or has failed too often in a row, until a person decides. What a person
 * has approved goes on. An agent fails that a person has refused a call. Null = it may begin.
 */
export function holdAtLimit(
  step: StepContext,
  node: string,
  active: ActiveVisit,
  nowMs: number,
  item?: number,
): 'held' | FailEvent | null {
  const { autonomy, kind } = step.tables.nodeOf(node);
  if (autonomy === null) return null;
  const { agent, circuit_breaker_threshold: threshold } = autonomy;
  const counts = countsOf(step, agent) ?? fresh(nowMs);
  if (counts.refused !== undefined && agent === node) {
    setCounts(step, agent, fresh(nowMs));
    step.setActive(node, visitIn('queued', active), item);
    return { type: 'fail', node, error: counts.refused, retryable: false, delayMs: 0 };
  }
  setCounts(step, agent, counts);
  if (active.approved === true) return null;
  const { activation } = active;
  const of = item === undefined ? { activation } : { activation, item };
  const agent_ref = agentRefOf(step, agent);
  let limit: JsonObject;
  if (threshold !== null && counts.errors >= threshold) {
    limit = { limit_type: 'circuit_breaker', limit_value: threshold, actual_value: counts.errors };
    const data = { agent_ref, consecutive_errors: counts.errors, threshold, ...of };
    step.addEvent('circuit_breaker_tripped', node, data);
  } else {
    const reached = reachedLimit(autonomy, counts, nowMs, roleOf(kind, agent === node));
    if (reached === null) return null;
    limit = { ...reached };
    step.addEvent('autonomy_limit_reached', node, { agent_ref, ...limit, ...of });
  }
  step.addEvent('escalation_required', node, { agent_ref, reason: reasonOf(limit), escalation_target: TARGET, ...of });
  const name = definitionOf(kind).policyNames(kind)[0] ?? node;
  const calls = carriedCall(step, node);
  const held = { name, limit, ...(calls === undefined ? {} : { calls }) };
  const context = heldContext(node, { held });
  const since = step.addEvent('tool_approval_required', node, { tool_name: name, approver: 'human', context, ...of });
  step.setActive(node, Object.assign(visitIn('awaiting_approval', active), { since, atMs: nowMs, held }), item);
  return 'held';
}

function roleOf(kind: Kind, isAgent: boolean): AttemptRole {
  if (!isAgent) return 'call';
  return isModelTurn(kind) ? 'turn' : 'work';
}

function isModelTurn(kind: Kind): boolean {
  return definitionOf(kind).models(kind).length > 0;
}

function reasonOf({ limit_type, limit_value, actual_value }: JsonObject): string {
  return limit_type === 'circuit_breaker'
    ? `${actual_value} failed attempts in a row`
    : `${String(limit_type)}: ${actual_value} of ${limit_value}`;
}

/** A person lets the agent go on: it counts anew. */
export function releaseLimit(step: StepContext, node: string, nowMs: number): void {
  const { autonomy } = step.tables.nodeOf(node);
  if (autonomy === null) return;
  const refused = countsOf(step, autonomy.agent)?.refused;
  setCounts(step, autonomy.agent, refused === undefined ? fresh(nowMs) : Object.assign(fresh(nowMs), { refused }));
}

/** A person refuses to let the agent go on: it fails, also where what it called is held. `error`: of the failure. */
export function refuseBeyondLimit(step: StepContext, node: string, error: string): void {
  const { autonomy } = step.tables.nodeOf(node);
  if (autonomy === null || autonomy.agent === node) return;
  const counts = countsOf(step, autonomy.agent);
  if (counts !== null) setCounts(step, autonomy.agent, Object.assign({}, counts, { refused: error }));
}

/** Counts an attempt that has ended with the event, for the agent to which its node belongs. `retried`: another attempt of the visit follows. */
export function countAttempt(
  step: StepContext,
  node: string,
  event: MachineEvent,
  outcome: 'succeeded' | 'failed' | 'retried',
): void {
  const { autonomy, kind } = step.tables.nodeOf(node);
  if (autonomy === null) return;
  const counts = countsOf(step, autonomy.agent);
  if (counts === null) return;
  const { input_tokens = 0, output_tokens = 0, cost_usd = 0 } = usageIn(event) ?? {};
  setCounts(step, autonomy.agent, {
    ...counts,
    iterations: counts.iterations + Number(outcome !== 'retried' && autonomy.agent === node),
    toolCalls: counts.toolCalls + Number(!isModelTurn(kind)),
    tokens: counts.tokens + input_tokens + output_tokens,
    costUsd: counts.costUsd + cost_usd,
    errors: outcome === 'succeeded' ? 0 : counts.errors + 1,
  });
}

function countsOf(step: StepContext, agent: string): AutonomyCounts | null {
  return own(step.now.autonomy ?? {}, agent) ?? null;
}

function setCounts(step: StepContext, agent: string, counts: AutonomyCounts): void {
  step.set({ autonomy: { ...step.now.autonomy, [agent]: counts } });
}

function fresh(nowMs: number): AutonomyCounts {
  return { sinceMs: nowMs, iterations: 0, toolCalls: 0, tokens: 0, costUsd: 0, errors: 0 };
}

/** The registered agent that the node names, else the node. */
function agentRefOf(step: StepContext, agent: string): string {
  const { kind } = step.tables.nodeOf(agent);
  return 'agent_ref' in kind && typeof kind.agent_ref === 'string' ? kind.agent_ref : agent;
}

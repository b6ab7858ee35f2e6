import type { Node, Workflow } from '../../../machines/ir/workflow.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { BUDGET_EXCEEDED } from '../../../machines/step/index.ts';
import { COSTLY_CONDITION } from '../generate-features.ts';
import { USES } from './leftovers.ts';

const COMPLETED = 'node_completed';

/** Checks what nodes decide: policy nodes, edges that no step can evaluate, and the strategies of agents. */
export function checkDecisions(log: readonly TimedEvent[], workflow: Workflow, state: JsonObject): readonly string[] {
  return [...checkGates(log, workflow), ...checkCostly(log, workflow, state), ...checkStrategy(log, workflow)];
}

/** A policy node decides by the names that it is given: a block is stricter than an approval. */
function checkGates(log: readonly TimedEvent[], { nodes, policies }: Workflow): readonly string[] {
  const problems: string[] = [];
  const gates = new Map(nodes.flatMap(({ id, kind }) => (kind.type === 'policy' ? [[id, kind] as const] : [])));
  for (const { sequence, type, node_id, data } of log) {
    const gate = gates.get(node_id ?? '');
    const policy = policies[gate?.policy_ref ?? ''];
    if (gate === undefined || policy === undefined || data.activation === 0) continue;
    const has = (names: readonly string[]): boolean => gate.subject?.some((name) => names.includes(name)) === true;
    const wanted = has(policy.blocked_tools) ? 'block' : has(policy.require_approval_for) ? 'require_approval' : 'allow';
    const is = verdictOf(type, data);
    if (is !== null && is !== wanted) problems.push(`${sequence} ${type} ${node_id}: it says ${is}, and its policy ${wanted}`);
  }
  return problems;
}

/** What an event of a policy node says; null = nothing. */
function verdictOf(type: string, { output, decision, error }: JsonObject): string | null {
  if (type === 'tool_approval_required') return 'require_approval';
  if (type === 'policy_violation') return decision === 'allowed' ? 'allow' : 'block';
  if (type === 'node_failed' && String(error).startsWith('blocked by policy')) return 'block';
  return type === COMPLETED && isObject(output) ? String(output.decision) : null;
}

/** A node fails if an edge needs more work than a step may do; then its completion changes nothing. Work beside the workflow has no edge. */
function checkCostly(log: readonly TimedEvent[], { nodes, edges }: Workflow, state: JsonObject): readonly string[] {
  const problems: string[] = [];
  const costly = new Set(edges.flatMap(({ from, condition }) => (condition === COSTLY_CONDITION ? [from] : [])));
  const writesState = new Set(
    nodes.flatMap(({ id, kind }) => (kind.type === 'tool' && kind.output_key === undefined ? [id] : [])),
  );
  const calls = new Set<Json | undefined>([undefined]);
  for (const { sequence, type, node_id, data } of log) {
    const given = type === 'workflow_started' ? data.initial_input : data.output;
    if (isObject(given)) calls.add(given.call);
    if (data.activation === 0) continue;
    const mustFail = type === COMPLETED && costly.has(node_id ?? '') && writesState.has(node_id ?? '');
    if (mustFail && isObject(data.output) && data.output.ok === true)
      problems.push(`${sequence}: ${node_id} completed, and its edge needs more work than a step may do`);
    if (data.error_class === BUDGET_EXCEEDED && costly.size === 0)
      problems.push(`${sequence}: ${node_id} exceeded the budget of its step, and no edge needs so much work`);
  }
  if (!calls.has(state.call))
    problems.push(`its state has the result of call ${JSON.stringify(state.call)}, and no node completed with it`);
  return problems;
}

/** Iterations count up to the limit, each ends once, and the answer is the last thing of a completed execution. */
function checkStrategy(log: readonly TimedEvent[], { strategy, nodes }: Workflow): readonly string[] {
  if (strategy === null) return [];
  const problems: string[] = [];
  let [begun, ended, last, tokens] = [0, 0, -1, 0];
  for (const [i, { sequence, type, data }] of log.entries()) {
    const problem = (text: string): void => void problems.push(`${sequence} ${type}: ${text}`);
    if (type === 'workflow_started' && log[i + 1]?.type !== 'strategy_started') problem('the strategy does not start with it');
    if (type === 'iteration_started') {
      // Beyond its budget, an execution may leave some out.
      if (Number(data.iteration) <= last) problem(`iteration ${data.iteration} after ${last}`);
      if (ended !== begun) problem(`${ended} of ${begun} iterations have ended`);
      begun += 1;
      last = Number(data.iteration);
    }
    if (type === 'iteration_completed') {
      if (data.iteration !== last || ended >= begun) problem(`iteration ${data.iteration}, and ${last} is in progress`);
      ended += 1;
      tokens += Number(data.input_tokens) + Number(data.output_tokens);
    }
    if (type === 'strategy_completed') {
      if (data.iterations !== begun || ended !== begun)
        problem(`${data.iterations} iterations, and ${begun} began, and ${ended} ended`);
      if (log[i + 1]?.type !== 'workflow_completed') problem('something follows it');
    }
    if (type === 'workflow_completed' && log[i - 1]?.type !== 'strategy_completed') problem('the strategy is not complete');
  }
  const used = log.reduce((sum, { type, data }) => sum + (USES.has(type) ? tokensOf(data) : 0), 0);
  if (tokens > used) problems.push(`its iterations used ${tokens} tokens, and its nodes ${used}`);
  const most = nodes.filter(isIteration).length;
  if (begun > most) problems.push(`${begun} iterations of at most ${most}`);
  return problems;
}

function isIteration({ labels }: Node): boolean {
  return labels['jamjet.strategy.event'] === 'iteration_started';
}

function tokensOf({ input_tokens, output_tokens }: JsonObject): number {
  return Number(input_tokens ?? 0) + Number(output_tokens ?? 0);
}

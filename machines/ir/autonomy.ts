import { AUTONOMY_LEVELS, type Autonomy, type AutonomyConstraints } from '../autonomy.ts';
import { isObject } from '../json.ts';
import { definitionOf, type Kind, workBehaviourOf } from '../nodes/index.ts';
import { matchesGlob } from '../policy.ts';
import type { Fields } from '../reading/fields.ts';
import { didYouMean } from '../suggest.ts';
import type { Node, PolicySet } from './workflow.ts';

const LIMITS = ['max_iterations', 'max_tool_calls', 'token_budget'] as const;
const AMOUNTS = ['cost_budget_usd', 'time_budget_secs'] as const;
const TOOLS = ['allowed_tools', 'blocked_tools', 'require_approval_for'] as const;

/** Reads `autonomy` (a level, or `{level, constraints}`) and `circuit_breaker_threshold` of a node; null = it has neither. */
export function autonomyOf(own: Fields, id: string, kind: Kind): Autonomy | null {
  const threshold = own.integer(['circuit_breaker_threshold'], 1) ?? null;
  const given = own.json('autonomy');
  if (given === undefined && threshold === null) return null;
  const behaviour = workBehaviourOf(kind);
  if (behaviour !== 'work' && behaviour !== 'child') {
    const key = given === undefined ? 'circuit_breaker_threshold' : 'autonomy';
    own.warning('ignored_key', key, `has no meaning on a ${kind.type} node`);
    return null;
  }
  const fields = isObject(given) ? own.inside('autonomy', given) : own;
  const level = fields.text(isObject(given) ? 'level' : 'autonomy') ?? null;
  const known = AUTONOMY_LEVELS.find((one) => one === level) ?? null;
  if (level !== null && known === null)
    fields.error('bad_autonomy', isObject(given) ? 'level' : 'autonomy', `must be one of ${AUTONOMY_LEVELS.join(', ')}`, () =>
      didYouMean(level, AUTONOMY_LEVELS),
    );
  const constraints = isObject(given) ? constraintsOf(fields) : {};
  return { agent: id, level: known, constraints, circuit_breaker_threshold: threshold };
}

function constraintsOf(fields: Fields): AutonomyConstraints {
  const raw = fields.object('constraints') ?? {};
  const read = fields.inside('constraints', raw);
  const limits = LIMITS.map((key) => [key, read.integer([key], 1)]);
  const amounts = AMOUNTS.map((key) => [key, key === 'time_budget_secs' ? read.seconds([key]) : positive(read, key)]);
  const tools = TOOLS.map((key) => [key, raw[key] === undefined ? undefined : read.names(key)]);
  for (const key of Object.keys(raw))
    if (![...LIMITS, ...AMOUNTS, ...TOOLS].some((known) => known === key))
      read.warning('unknown_key', key, 'is not a constraint and does nothing', () =>
        didYouMean(key, [...LIMITS, ...AMOUNTS, ...TOOLS]),
      );
  return Object.fromEntries([...limits, ...amounts, ...tools].filter(([, value]) => value !== undefined));
}

function positive(read: Fields, key: string): number | undefined {
  const amount = read.number([key], 0);
  if (amount === 0) read.error('wrong_type', key, 'must be greater than 0');
  return amount === 0 ? undefined : amount;
}

/**
 * The policy of a node that calls a tool: that of its own, and what its autonomy says about tools. `guided`: every call is approved by a person.
 */
export function policyUnder(autonomy: Autonomy | null, kind: Kind, policy: PolicySet | null): PolicySet | null {
  const definition = definitionOf(kind);
  const names = definition.policyNames(kind);
  if (autonomy === null || names.length === 0 || definition.models(kind).length > 0) return policy;
  const { allowed_tools: allowed = [], blocked_tools = [], require_approval_for = [] } = autonomy.constraints;
  const isAllowed = allowed.length === 0 || names.some((name) => allowed.some((glob) => matchesGlob(glob, name)));
  const blocked = [...blocked_tools, ...(isAllowed ? [] : names.slice(0, 1))];
  const approved = [...require_approval_for, ...(autonomy.level === 'guided' ? ['*'] : [])];
  if (blocked.length === 0 && approved.length === 0) return policy;
  return {
    blocked_tools: [...(policy?.blocked_tools ?? []), ...blocked],
    require_approval_for: [...(policy?.require_approval_for ?? []), ...approved],
    model_allowlist: policy?.model_allowlist ?? [],
  };
}

/** A node that an agent has for the calls of its tools is bound by the autonomy of the agent. */
export function boundBy(agent: Node, node: Node): Node {
  const { autonomy } = agent;
  const behaviour = workBehaviourOf(node.kind);
  if (autonomy === null || (behaviour !== 'work' && behaviour !== 'child')) return node;
  return { ...node, autonomy: node.autonomy ?? autonomy, policy: policyUnder(autonomy, node.kind, node.policy) };
}

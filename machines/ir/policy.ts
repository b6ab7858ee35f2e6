import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { didYouMean } from '../suggest.ts';
import type { Node, PolicySet } from './workflow.ts';

const RULES = ['blocked_tools', 'require_approval_for', 'model_allowlist'] as const;

export function policyOf(fields: Fields): PolicySet | null {
  const raw = fields.object('policy');
  return raw === undefined ? null : policyIn(fields.inside('policy', raw));
}

/** The name by which policy nodes ask the policy of the tenant. */
export const TENANT_POLICY = 'tenant';

/** The workflow's `policies`, by name. Every name that a policy node asks must be there. */
export function readPolicies(fields: Fields, nodes: readonly Node[]): Record<string, PolicySet> {
  const raw = fields.object('policies') ?? {};
  const read = Object.entries(raw).flatMap(([name, policy]) => {
    if (isObject(policy)) return [[name, policyIn(fields.inside(`policies.${name}`, policy))] as const];
    fields.error('wrong_type', `policies.${name}`, 'must be an object');
    return [];
  });
  for (const { id, kind } of nodes) {
    if (
      kind.type !== 'policy' ||
      kind.policy_ref === '' ||
      kind.policy_ref === TENANT_POLICY ||
      Object.hasOwn(raw, kind.policy_ref)
    )
      continue;
    const names = [...Object.keys(raw), TENANT_POLICY];
    const hint = didYouMean(kind.policy_ref, names) ?? `policies: ${names.join(', ')}`;
    fields.problems.error('unknown_policy', `node "${id}" asks the policy "${kind.policy_ref}", which does not exist`, {
      node_id: id,
      path: `nodes.${id}.kind.policy_ref`,
      hint,
    });
  }
  return Object.fromEntries(read);
}

function policyIn(rules: Fields): PolicySet {
  const { raw } = rules;
  for (const key of Object.keys(raw)) {
    // A misspelt rule would have no effect.
    if (!RULES.some((rule) => rule === key))
      rules.warning('unknown_policy_rule', key, 'is not a rule and does nothing', () => didYouMean(key, RULES));
  }
  return {
    blocked_tools: rules.names('blocked_tools'),
    require_approval_for: rules.names('require_approval_for'),
    model_allowlist: rules.names('model_allowlist'),
  };
}

/**
 * The rules of a policy that was stored or given apart from a workflow; null = it has none. Other keys have no effect. `problem`: a rule that is
 * not a list of texts; a text counts as a list of it, and nothing else has an effect.
 */
export function policySetOf(given: JsonObject): { readonly policy: PolicySet | null; readonly problem: string | null } {
  let problem: string | null = null;
  const globs = (rule: keyof PolicySet): string[] => {
    const value = given[rule] ?? [];
    const list = Array.isArray(value) ? (value as readonly Json[]) : [value];
    const texts = list.filter((one) => typeof one === 'string');
    if (given[rule] !== undefined && (!Array.isArray(value) || texts.length < list.length))
      problem ??= `${rule} must be a list of texts`;
    return texts;
  };
  const policy = {
    blocked_tools: globs('blocked_tools'),
    require_approval_for: globs('require_approval_for'),
    model_allowlist: globs('model_allowlist'),
  };
  return { policy: RULES.every((rule) => policy[rule].length === 0) ? null : policy, problem };
}

import type { Json, JsonObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { didYouMean } from '../suggest.ts';
import type { PolicySet } from './workflow.ts';

const RULES = ['blocked_tools', 'require_approval_for', 'model_allowlist'] as const;

export function policyOf(fields: Fields): PolicySet | null {
  const raw = fields.object('policy');
  if (raw === undefined) return null;
  const rules = fields.inside('policy', raw);
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

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

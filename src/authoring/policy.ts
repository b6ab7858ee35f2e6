import type { Json } from '../../machines/json.ts';
import { didYouMean } from '../../machines/suggest.ts';
import type { Located, MapReader } from './map-reader.ts';
import { textOf } from './map-reader.ts';

const RULES = ['blocked_tools', 'require_approval_for', 'model_allowlist'];

/** The policy of a workflow or a node. A misspelt rule would guard nothing, so it is an error, not a warning. */
export function policyOf(section: MapReader): Located<Json> | null {
  const policy = section.map(`policy of ${section.name}`, 'policy');
  if (policy === null) return null;
  const rules: Record<string, Json> = {};
  for (const rule of RULES) {
    const globs = policy.json(rule);
    if (globs !== null) rules[rule] = typeof globs.value === 'string' ? [globs.value] : globs.value;
  }
  for (const { key, keyOffset: keyAt } of policy.unread()) {
    policy.error(
      'unknown_policy_rule',
      `${policy.name}: "${key}" is not a rule`,
      keyAt,
      didYouMean(key, RULES) ?? `rules: ${RULES.join(', ')}`,
    );
  }
  return { value: rules, at: policy.at };
}

/** Labels are texts; numbers and booleans are taken as they are written. */
export function labelsOf(section: MapReader): Located<Json> | null {
  const labels = section.map(`labels of ${section.name}`, 'labels');
  if (labels === null) return null;
  const entries = labels.fields.flatMap((field): [string, string][] => {
    const text = textOf(field.value);
    if (text !== null) return [[field.key, text]];
    labels.wrongType(field, 'a text');
    return [];
  });
  return { value: Object.fromEntries(entries), at: labels.at };
}

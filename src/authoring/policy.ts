import type { Json } from '../../machines/json.ts';
import { didYouMean } from '../../machines/suggest.ts';
import type { Located, MapReader } from './map-reader.ts';
import { scalarText } from './map-reader.ts';

const RULES = ['blocked_tools', 'require_approval_for', 'model_allowlist'];

/** The policy of a workflow or a node. A misspelt rule would have no effect, so it is an error. */
export function readPolicy(reader: MapReader): Located<Json> | null {
  const policy = reader.map(`policy of ${reader.name}`, 'policy');
  if (policy === null) return null;
  const rules: Record<string, Json> = {};
  for (const rule of RULES) {
    const globs = policy.json(rule);
    if (globs !== null) rules[rule] = typeof globs.value === 'string' ? [globs.value] : globs.value;
  }
  for (const { key, keyOffset } of policy.unread()) {
    policy.error(
      'unknown_policy_rule',
      `${policy.name}: "${key}" is not a rule`,
      keyOffset,
      didYouMean(key, RULES) ?? `rules: ${RULES.join(', ')}`,
    );
  }
  return { value: rules, offset: policy.offset };
}

/** Labels; numbers and booleans are texts as they are written. */
export function readLabels(reader: MapReader): Located<Json> | null {
  const labels = reader.map(`labels of ${reader.name}`, 'labels');
  if (labels === null) return null;
  const entries = labels.fields.flatMap((field): [string, string][] => {
    const text = scalarText(field.value);
    if (text !== null) return [[field.key, text]];
    labels.wrongType(field, 'a text');
    return [];
  });
  return { value: Object.fromEntries(entries), offset: labels.offset };
}

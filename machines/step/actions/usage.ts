import type { JsonObject } from '../../json.ts';
import type { Usage } from '../../messages.ts';

/** Fields of a node's reported usage, in the order in which events have them. */
export const USAGE_FIELDS = [
  'gen_ai_system',
  'gen_ai_model',
  'input_tokens',
  'output_tokens',
  'finish_reason',
  'cost_usd',
  'gen_ai_response_id',
  'usage_refused',
] as const;

const NO_DATA: JsonObject = {};

export function usageEventData(usage: Usage | undefined): JsonObject {
  if (usage === undefined) return NO_DATA;
  return Object.fromEntries(USAGE_FIELDS.flatMap((key) => (usage[key] === undefined ? [] : [[key, usage[key]]])));
}

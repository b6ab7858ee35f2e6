import type { EventType } from '../../events/index.ts';
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

/** Events with what an attempt used. */
export const METERED: ReadonlySet<string> = new Set([
  'node_completed',
  'node_failed',
  'attempt_lost',
  'usage_recorded',
] satisfies EventType[]);

const NO_DATA: JsonObject = {};

export function usageEventData(usage: Usage | undefined): JsonObject {
  if (usage === undefined) return NO_DATA;
  return Object.fromEntries(USAGE_FIELDS.flatMap((key) => (usage[key] === undefined ? [] : [[key, usage[key]]])));
}

/** The fields that an event has. */
export function usageIn(data: JsonObject): Usage {
  return Object.fromEntries(USAGE_FIELDS.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])));
}

const COUNTS = ['input_tokens', 'output_tokens', 'cost_usd'] as const;

/** The sum of two reports; the names of model and provider are those of the second, if it has them. */
export function usageSum(some: Usage | null, more: Usage): Usage {
  if (some === null) return more;
  const sums = COUNTS.flatMap((key) =>
    some[key] === undefined && more[key] === undefined ? [] : [[key, (some[key] ?? 0) + (more[key] ?? 0)] as const],
  );
  return Object.assign({}, some, more, Object.fromEntries(sums));
}

import { pathOf, pointerOf } from '../appended-lists.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Redactor } from './redactor.ts';

/**
 * Fields of events with ids of the runtime, its own words, counts, times, and names of the workflow, of nodes and of actors. All others are
 * redacted: what tools, workers, models, remote agents and templates write.
 */
const FIXED: ReadonlySet<string> = new Set([
  'type',
  'node',
  'workflow_id',
  'workflow_version',
  'step_limit',
  'language',
  'rules',
  'nodes',
  'forgiven',
  'origin',
  'decisions',
  'keep_decisions',
  'token_budget',
  'cost_budget_usd',
  'in_process',
  'attempt',
  'activation',
  'operation',
  'limit_ms',
  'deferred',
  'timed_out',
  'worker_id',
  'workerId',
  'input_from',
  'input_omitted',
  'duration_ms',
  'durationMs',
  'taken',
  'patch_from',
  'output_key',
  'event_sequence',
  'source',
  'usage_refused',
  'input_tokens',
  'output_tokens',
  'cost_usd',
  'segment_number',
  'continued_from',
  'next_execution_id',
  'continues',
  'limit_value',
  'actual_value',
  'consecutive_errors',
  'threshold',
  'escalation_target',
  'http_status',
  'retryable',
  'delay_ms',
  'retry_after',
  'user_id',
  'decision',
  'fire_at',
  'child_execution_id',
  'child_workflow_id',
  'kind',
  'limit',
  'current',
  'limit_usd',
  'current_usd',
  'policy_scope',
  'approver',
  'corrupt',
  'limit_type',
  'status',
  'passed',
  'action',
  'route',
  'matched',
  'mode',
  'protocol',
  'chunk_index',
  'turn_number',
  'direction',
  'tokens',
  'cost',
  'total_cost',
  'latency_ms',
  'total_turns',
  'chunks_received',
  'outcome',
  'strategy',
  'iteration',
  'iterations',
  'cost_delta_usd',
  'total_cost_usd',
  'score',
  'repair',
  'from',
  'to',
]);

/** What a function calls is what its code says: it may be no name of a workflow, but made of personal data. */
const CALLED: ReadonlySet<string> = new Set(['workflow_id', 'workflow_version']);

function isFixed(field: string, { kind }: JsonObject): boolean {
  return FIXED.has(field) && !(kind === 'call' && CALLED.has(field));
}

/** What a node that does not retain its outputs leaves of them. */
const OUTPUTS: ReadonlySet<string> = new Set([
  'output',
  'state_patch',
  'result',
  'partial_output',
  'partial_output_summary',
  'content_summary',
  'steps',
  'feedback',
  'problem',
]);

function isOutput(field: string, data: JsonObject): boolean {
  // The reason of a handoff is what a model has said.
  return OUTPUTS.has(field) || (field === 'reason' && data.from !== undefined);
}

/** Digests of values, by which the values could be guessed. */
const DIGESTS: ReadonlySet<string> = new Set(['input_hash']);

/** The data of an event without personal data; the same object if there is none. */
export function redactedData(redactor: Redactor, data: JsonObject, retainsOutput = true): JsonObject {
  let redacted: Record<string, Json> | null = null;
  for (const [field, value] of Object.entries(data)) {
    if (isFixed(field, data)) continue;
    if (field === 'appended' && isObject(value)) {
      const places = redactedPlaces(redactor, value);
      // New shape: none, the data has this field.
      if (places !== value) redacted = { ...(redacted ?? data), appended: places };
      continue;
    }
    const isWhole = DIGESTS.has(field) || (!retainsOutput && isOutput(field, data));
    const shown = isWhole ? redactor.whole(value) : redactedField(redactor, data, field, value);
    if (shown === value) continue;
    redacted ??= { ...data };
    redacted[field] = shown;
  }
  return redacted ?? data;
}

/** Lists by their place in the patch, which are named as the keys on the way there are. */
function redactedPlaces(redactor: Redactor, lists: JsonObject): JsonObject {
  const entries = Object.entries(lists);
  const shown = entries.map(([pointer, list]): [string, Json] => {
    const path = pathOf(pointer).map((key) => redactor.text(key));
    return [pointerOf(path), list];
  });
  return shown.every(([pointer], i) => pointer === entries[i]?.[0]) ? lists : Object.fromEntries(shown);
}

/** Paths begin in every field, such as a state, an input or a payload; in an output, also where it goes in the state. */
function redactedField(redactor: Redactor, { output_key: key }: JsonObject, field: string, value: Json): Json {
  const shown = redactor.root(value);
  if (field !== 'output' || typeof key !== 'string') return shown;
  const inState = redactor.root({ [key]: shown });
  return isObject(inState) && Object.hasOwn(inState, key) ? (inState[key] ?? null) : redactor.whole(shown);
}

import { isObject, type Json, type JsonObject } from '../../json.ts';
import { definitionOf, type Kind, outputFieldsOf, outputKeyOf } from '../../nodes/index.ts';

/** How a completion changes the state: by a patch of its own, or by one derived from the output. */
export type StatePatch =
  | { readonly kind: 'given'; readonly patch: Json }
  | { readonly kind: 'output' | 'node_id' | 'none' }
  | { readonly kind: 'output_key'; readonly key: string }
  /** Of a node with scores. */
  | { readonly kind: 'scores'; readonly key: string | null };

/**
 * The patch that a `node_completed` event stands for. A patch derived from the output is not stored a second time: `patch_from`
 * says how to derive it (`output`: the output itself, `output_key`: under the key of that name, `node_id`: under the node's id, `scores`:
 * under one of those, and its parts as `eval_passed`, `eval_action`, `eval_results` and `eval_feedback`).
 */
export function completedPatch(data: JsonObject, nodeId: string): Json {
  if (Object.hasOwn(data, 'state_patch')) return data.state_patch ?? null;
  const output = data.output ?? null;
  if (data.patch_from === 'output') return output;
  if (data.patch_from === 'node_id') return { [nodeId]: output };
  if (data.patch_from === 'scores') {
    const whole = { ...NOT_SAID, ...(isObject(output) ? output : {}) };
    const { passed = null, action = null, scorers = null, feedback } = whole as JsonObject;
    const key = typeof data.output_key === 'string' ? data.output_key : nodeId;
    return { eval_passed: passed, eval_action: action, eval_results: scorers, eval_feedback: feedback ?? null, [key]: whole };
  }
  if (data.patch_from === 'output_key' && typeof data.output_key === 'string') return { [data.output_key]: output };
  return {};
}

/** What an earlier visit may have said under the same key of the state: a merge would keep it. */
const NOT_SAID: JsonObject = { feedback: null, decision: null, approved: null, user_id: null, comment: null };

/** The patch as the data of `node_completed` says it. */
export function patchData(patch: StatePatch): JsonObject {
  if (patch.kind === 'given') return { state_patch: patch.patch };
  if (patch.kind === 'none') return {};
  const key = patch.kind === 'output_key' || patch.kind === 'scores' ? patch.key : null;
  return { patch_from: patch.kind, ...(key === null ? {} : { output_key: key }) };
}

/** Null = the node names no state key for its output. */
export function outputKeyPatch(kind: Kind): StatePatch | null {
  const key = 'output_key' in kind ? kind.output_key : undefined;
  return key === undefined ? null : { kind: 'output_key', key };
}

/** The state key that the output of a completion is written to; null = none. */
export function writtenKey(kind: Kind, patch: StatePatch): string | null {
  if (patch.kind === 'output_key' || patch.kind === 'scores') return patch.key;
  const key = outputKeyOf(kind);
  return key !== null && patch.kind === 'given' && isObject(patch.patch) && Object.hasOwn(patch.patch, key) ? key : null;
}

export const NO_PATCH: StatePatch = { kind: 'none' };

/** Does the state stay as it is, whatever the result? */
export function discards(kind: Kind): boolean {
  return 'discard_output' in kind && kind.discard_output === true;
}

/** The patch of a result that brings none of its own. */
export function derivedPatch(kind: Kind, output: Json): StatePatch {
  const definition = definitionOf(kind);
  if (definition.scoring(kind) !== null) return { kind: 'scores', key: outputKeyOf(kind) };
  const named = outputKeyPatch(kind);
  if (named !== null) return named;
  if (definition.runsAtEnd(kind) !== null) return NO_PATCH;
  return { kind: definition.objectResultIsPatch && isObject(output) ? 'output' : 'node_id' };
}

/** The patch of an external event or a mapped result: an object changes the state key by key. */
export function objectPatch(kind: Kind, output: Json): StatePatch {
  return outputKeyPatch(kind) ?? { kind: isObject(output) ? 'output' : 'node_id' };
}

/** The patch with what `output_to_state` takes from the output. What is derived from the output otherwise is its `output_key` alone. */
export function withNamedFields(kind: Kind, output: Json, patch: StatePatch): StatePatch {
  const fields = outputFieldsOf(kind);
  if (fields === null) return patch;
  const base =
    patch.kind === 'given' ? patch.patch : completedPatch({ output, ...patchData(outputKeyPatch(kind) ?? { kind: 'none' }) }, '');
  const named = fields.flatMap(([field, key]): [string, Json][] => {
    if (isObject(output) && Object.hasOwn(output, field)) return [[key, output[field] ?? null]];
    return field === WHOLE_OUTPUT || fields.length === 1 ? [[key, output]] : [];
  });
  return { kind: 'given', patch: { ...(isObject(base) ? base : {}), ...Object.fromEntries(named) } };
}

/** The field that receives an output which has no field of that name. */
const WHOLE_OUTPUT = 'result';

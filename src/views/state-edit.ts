import { canonicalJson, isObject, type Json, type JsonObject, mergePatch, patchBetween } from '../../machines/json.ts';
import { stateDiff } from './state-diff.ts';

/** What is sent for an edited state, or why it cannot be. */
export type StateEdit = { readonly patch: JsonObject } | { readonly problem: string };

/**
 * The merge patch (RFC 7396) that makes one state of the other; empty = no change. In a merge patch, null removes a key: a state in which a
 * key becomes null has none.
 */
export function stateEdit(before: JsonObject, after: Json): StateEdit {
  if (!isObject(after)) return { problem: 'A state is an object.' };
  const patch = patchBetween(before, after);
  const result = mergePatch(before, patch);
  if (canonicalJson(result) === canonicalJson(after)) return { patch };
  const [lost] = stateDiff(after, result);
  return { problem: `${lost?.path ?? 'A key'} cannot become null: in a merge patch, null removes a key.` };
}

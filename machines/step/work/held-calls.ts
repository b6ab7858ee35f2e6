import { isObject, type Json, type JsonObject } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import { own } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';

/** Larger tool calls are shown without their arguments. */
const MAX_CALLS_CHARS = 8_192;

/** The tool call of an agent that the node is about to carry out, as a person is shown it; undefined = it belongs to no agent. */
export function carriedCall(step: StepContext, node: string): readonly JsonObject[] | undefined {
  const call = step.tables.modelCalls.get(node);
  if (call === undefined) return undefined;
  const conversation = own(step.now.state, call.key);
  const calls = isObject(conversation) ? conversation.calls : undefined;
  return shownCalls(Array.isArray(calls) ? (calls as readonly Json[]).slice(call.position, call.position + 1) : []);
}

/** A list of tool calls of a model, as `{name, arguments}`. */
export function shownCalls(calls: Json | undefined): readonly JsonObject[] {
  const listed = Array.isArray(calls) ? (calls as readonly Json[]).filter(isObject) : [];
  const shown = listed.map(({ name = null, arguments: given = null }) => ({ name, arguments: given }));
  if (charsUpTo(shown, MAX_CALLS_CHARS) <= MAX_CALLS_CHARS) return shown;
  return shown.map(({ name }) => ({ name }));
}

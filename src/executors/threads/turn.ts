import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { ThreadTurn } from '../../../machines/messages.ts';
import type { ThreadFields } from '../../../machines/nodes/shared-fields.ts';
import { DEFAULT_MAX_MESSAGES } from '../../../machines/nodes/shared-fields.ts';
import type { WorkContext } from '../executor.ts';

/** A call of a model within a thread, or alone. */
export interface Turn {
  /** What the model is given: instructions, the thread, the messages of the call. */
  readonly messages: readonly Json[];
  /** What the turn adds to the thread: the messages of the call, but for instructions, and its answer. Empty without a thread. */
  readonly appended: (answer: JsonObject) => { readonly thread?: ThreadTurn };
}

const ALONE = (): { readonly thread?: ThreadTurn } => ({});

/** Begins a call with these messages, the first of which may be instructions. */
export async function beginTurn(
  { thread, max_messages: maxMessages = DEFAULT_MAX_MESSAGES }: ThreadFields,
  input: Json,
  context: WorkContext,
  messages: readonly Json[],
): Promise<Turn> {
  if (thread === undefined) return { messages, appended: ALONE };
  if (context.beginTurn === undefined) throw new TypeError('this process keeps no threads');
  const id = isObject(input) ? (input.thread ?? null) : null;
  const reading = await context.beginTurn(id, { maxMessages });
  const said = messages.filter((message) => !isInstruction(message));
  return {
    messages: [...messages.filter(isInstruction), ...reading.messages, ...said],
    appended: (answer) => ({ thread: reading.append([...(said as readonly JsonObject[]), answer]) }),
  };
}

function isInstruction(message: Json): boolean {
  return isObject(message) && (message.role === 'system' || message.role === 'developer');
}

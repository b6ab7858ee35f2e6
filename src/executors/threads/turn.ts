import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { ThreadTurn } from '../../../machines/messages.ts';
import { DEFAULT_MAX_MESSAGES, type ThreadFields } from '../../../machines/nodes/threads.ts';
import type { WorkContext } from '../executor.ts';
import type { Models } from '../model/ask.ts';
import { toJson } from '../to-json.ts';
import type { SummariseThread, ThreadWindow } from './reading.ts';

/** A call of a model within a thread, or alone. */
export interface Turn {
  /** Id of the thread. */
  readonly thread?: string;
  /** What the model is given: instructions, the thread, the messages of the call. */
  readonly messages: readonly Json[];
  /** What the turn adds to the thread: the messages of the call, but for instructions, and its answer. Empty without a thread. */
  readonly appended: (answer: JsonObject) => { readonly thread?: ThreadTurn };
}

const ALONE = (): { readonly thread?: ThreadTurn } => ({});

/** Begins a call with these messages, the first of which may be instructions. `models`: those that may summarise the thread. */
export async function beginTurn(
  fields: ThreadFields,
  input: Json,
  context: WorkContext,
  models: Models,
  messages: readonly Json[],
): Promise<Turn> {
  const own = isObject(input) ? (input.thread ?? null) : null;
  const id = fields.thread === undefined ? context.thread?.id : own;
  if (id === undefined) return { messages, appended: ALONE };
  if (context.beginTurn === undefined) throw new TypeError('this process keeps no threads');
  const reading = await context.beginTurn(id, windowOf(fields, context, models));
  const said = messages.filter((message) => !isInstruction(message));
  return {
    thread: reading.id,
    messages: [...messages.filter(isInstruction), ...reading.messages, ...said],
    appended: (answer) => ({ thread: reading.append([...(said as readonly JsonObject[]), answer]) }),
  };
}

/** What a model has answered. */
export function answerMessage(text: string): JsonObject {
  return { role: 'assistant', content: toJson(text, 'answer') };
}

function windowOf(
  { max_messages: maxMessages = DEFAULT_MAX_MESSAGES, summarise }: ThreadFields,
  context: WorkContext,
  models: Models,
): ThreadWindow {
  if (summarise === undefined) return { maxMessages };
  // Loaded by the first thread that has grown so long.
  const summaryOf: SummariseThread['summaryOf'] = async (messages, before) =>
    (await import('./summary.ts')).summaryOf(messages, before, summarise, models, context);
  return { maxMessages, summarise: { keep: summarise.keep, summaryOf } };
}

function isInstruction(message: Json): boolean {
  return isObject(message) && (message.role === 'system' || message.role === 'developer');
}

import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { RequestedCall } from '../../../machines/nodes/agent-calls.ts';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';
import type { Answer } from './answer.ts';

/** What a scripted model says: a text, or tools that it asks for. */
export interface ScriptedAnswer {
  readonly text: string;
  readonly tools: readonly { readonly name: string; readonly arguments: Json }[];
  readonly usage: { readonly inputTokens?: number; readonly outputTokens?: number; readonly costUsd?: number };
}

/** What is answered to some messages. */
export interface ScriptedRule {
  /** Part of the last message of the user, without regard to case; '' = any message. */
  readonly match: string;
  /** The first turn after that message, the second … The last one is repeated. */
  readonly answers: readonly ScriptedAnswer[];
}

/** Answers in the place of models, for tests and examples without a provider. */
export interface ModelScript {
  readonly rules: readonly ScriptedRule[];
}

/** A script that is not one. */
export class BadScript extends Error {}

const RULE_KEYS = ['match', 'answers', 'answer'];
const ANSWER_KEYS = ['text', 'tools', 'usage'];
/** Tokens have about so many characters. */
const CHARS_PER_TOKEN = 4;

/**
 * Reads a script: a list of rules `{match?, answers}`, or of answers alone. An answer is a text, `{text?, tools: [{name, arguments}], usage?}`, or any
 * other object, whose JSON text is the answer. Throws `BadScript`.
 */
export function readScript(document: unknown): ModelScript {
  const given = isObject(document) && Array.isArray(document.rules) ? (document.rules as readonly Json[]) : document;
  if (!Array.isArray(given) || given.length === 0) throw new BadScript('must be a list of rules {match, answers}, or of answers');
  const list = given as readonly Json[];
  const isRule = (entry: Json): entry is JsonObject =>
    isObject(entry) && (Object.hasOwn(entry, 'answers') || Object.hasOwn(entry, 'answer'));
  if (!list.some(isRule))
    return { rules: [{ match: '', answers: list.map((answer, i) => readAnswer(answer, `answer ${i + 1}`)) }] };
  return {
    rules: list.map((entry, i) => {
      const at = `rule ${i + 1}`;
      if (!isRule(entry)) throw new BadScript(`${at} has no answers`);
      checkKeys(entry, RULE_KEYS, at);
      const answers = Array.isArray(entry.answers) ? (entry.answers as readonly Json[]) : [entry.answers ?? entry.answer ?? null];
      if (answers.length === 0) throw new BadScript(`${at} has no answers`);
      if (entry.match !== undefined && typeof entry.match !== 'string') throw new BadScript(`match of ${at} must be text`);
      return { match: entry.match ?? '', answers: answers.map((answer, j) => readAnswer(answer, `answer ${j + 1} of ${at}`)) };
    }),
  };
}

function readAnswer(raw: Json, at: string): ScriptedAnswer {
  if (typeof raw === 'string') return { text: raw, tools: [], usage: {} };
  if (!isObject(raw)) throw new BadScript(`${at} must be text or an object`);
  if (!ANSWER_KEYS.some((key) => Object.hasOwn(raw, key))) return { text: JSON.stringify(raw), tools: [], usage: {} };
  checkKeys(raw, ANSWER_KEYS, at);
  const { text = '', tools = [], usage = {} } = raw;
  if (typeof text !== 'string') throw new BadScript(`text of ${at} must be text`);
  if (!Array.isArray(tools)) throw new BadScript(`tools of ${at} must be a list of {name, arguments}`);
  if (!isObject(usage)) throw new BadScript(`usage of ${at} must be an object {input_tokens, output_tokens, cost_usd}`);
  return { text, tools: (tools as readonly Json[]).map((call) => readCall(call, at)), usage: readUsage(usage, at) };
}

function readCall(raw: Json, at: string): ScriptedAnswer['tools'][number] {
  if (typeof raw === 'string') return { name: raw, arguments: {} };
  if (!isObject(raw) || typeof raw.name !== 'string' || raw.name === '') throw new BadScript(`a tool of ${at} has no name`);
  checkKeys(raw, ['name', 'arguments'], `tool ${raw.name} of ${at}`);
  return { name: raw.name, arguments: raw.arguments ?? {} };
}

function readUsage(raw: JsonObject, at: string): ScriptedAnswer['usage'] {
  checkKeys(raw, ['input_tokens', 'output_tokens', 'cost_usd'], `usage of ${at}`);
  const amount = (key: string): number | undefined => {
    const value = raw[key];
    if (value === undefined || (typeof value === 'number' && value >= 0)) return value;
    throw new BadScript(`${key} of ${at} must be a number from 0`);
  };
  const [inputTokens, outputTokens, costUsd] = ['input_tokens', 'output_tokens', 'cost_usd'].map(amount);
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(costUsd === undefined ? {} : { costUsd }),
  };
}

function checkKeys(object: JsonObject, known: readonly string[], at: string): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new BadScript(`${at} has an unknown key "${unknown}"; known: ${known.join(', ')}`);
}

/**
 * Answers by the first rule that fits the last message of the user; the turns since that message say which of its answers is due. So the same
 * conversation gets the same answer, also after a restart. `onText` gets the text word by word. Throws `WorkError` if no rule fits.
 */
export async function scriptedAnswer(
  script: ModelScript,
  model: string,
  messages: readonly Json[],
  mayCallTools: boolean,
  onText: ((text: string) => void) | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  const isOf =
    (role: string) =>
    (message: Json): boolean =>
      isObject(message) && message.role === role;
  const last = messages.findLastIndex(isOf('user'));
  const asked = textOf(messages[last]);
  const rule = script.rules.find(({ match }) => asked.toLowerCase().includes(match.toLowerCase()));
  if (rule === undefined) {
    throw new WorkError(`the script has no answer to ${JSON.stringify(shortened(asked, 200))}`, {
      retryable: false,
      errorClass: 'no_scripted_answer',
    });
  }
  const turn = messages.slice(last + 1).filter(isOf('assistant')).length;
  const due = rule.answers.slice(Math.min(turn, rule.answers.length - 1));
  const answer = due[0]?.tools.length !== 0 && !mayCallTools ? (due.find(({ tools }) => tools.length === 0) ?? due[0]) : due[0];
  const { text = '', tools = [], usage = {} } = answer ?? {};
  for (const word of text.match(/\s*\S+\s*/g) ?? []) {
    signal.throwIfAborted();
    onText?.(word);
    // Readers see the text grow.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const calls = (mayCallTools ? tools : []).map(
    ({ name, arguments: args }, i): RequestedCall => ({ id: `call_${messages.length}_${i + 1}`, name, arguments: args }),
  );
  return {
    text,
    calls,
    finishReason: calls.length > 0 ? 'tool_calls' : 'stop',
    model,
    inputTokens: usage.inputTokens ?? tokensIn(JSON.stringify(messages)),
    cachedInputTokens: undefined,
    outputTokens: usage.outputTokens ?? tokensIn(text + JSON.stringify(calls)),
    costUsd: usage.costUsd ?? 0,
    responseId: undefined,
  };
}

function textOf(message: Json | undefined): string {
  if (!isObject(message)) return '';
  const { content = '' } = message;
  return typeof content === 'string' ? content : JSON.stringify(content);
}

function tokensIn(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

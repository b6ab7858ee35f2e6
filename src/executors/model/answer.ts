import type { Json } from '../../../machines/json.ts';
import type { RequestedCall } from '../../../machines/nodes/agent-calls.ts';
import { shortened } from '../../../machines/shortened.ts';
import { jsonIn, structureIn } from '../answer-text.ts';
import { WorkError } from '../executor.ts';
import type { CheckOutput } from '../output-schema.ts';

/** A tool call as a provider gives it. */
export interface GivenCall extends RequestedCall {
  /** Why the arguments are not JSON, which are a text then; absent = they are. */
  readonly unreadable?: string;
}

/** What a provider has answered, in the words of this runtime. */
export interface Answer {
  readonly text: string;
  readonly calls: readonly GivenCall[];
  /** `stop`, `length`, `tool_calls`, `content_filter`, `error`, `other`. */
  readonly finishReason: string;
  /** The model that has answered, as the provider names it. */
  readonly model: string;
  readonly inputTokens: number | undefined;
  readonly cachedInputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  /** As the provider says; null = to be computed. */
  readonly costUsd: number | null;
  readonly responseId: string | undefined;
}

/** The arguments of a tool call, which a provider gives as text. */
export function parsedArguments(given: string): Pick<GivenCall, 'arguments' | 'unreadable'> {
  try {
    return { arguments: given.trim() === '' ? {} : (JSON.parse(given) as Json) };
  } catch (error) {
    return { arguments: given, unreadable: shortened(error instanceof Error ? error.message : String(error), 300) };
  }
}

/** The calls of an answer, all of whose arguments must be JSON. */
export function readableCalls({ calls }: Answer): readonly RequestedCall[] {
  const bad = calls.find(({ unreadable }) => unreadable !== undefined);
  if (bad === undefined) return calls;
  throw badAnswer(`the model asked for the tool ${shortened(bad.name, 100)} with arguments that are not JSON: ${bad.unreadable}`);
}

/** The output for an answer: with a schema, the JSON that it is; else an object or a list if it is one, whole or as its only fenced block. */
export async function outputOf({ text, finishReason }: Answer, check: CheckOutput | null): Promise<Json> {
  if (check === null) return structureIn(text) ?? text;
  const output = jsonIn(text);
  const cutOff = finishReason === 'length' ? '; it was cut off at the limit of tokens' : '';
  if (output === undefined) throw badAnswer(`the answer is not JSON, which output_schema requires${cutOff}`);
  const problem = await check(output);
  if (problem !== null) throw badAnswer(`the answer does not match output_schema: ${problem}`);
  return output;
}

/** Another attempt may bring a better one. */
export function badAnswer(message: string, cause?: unknown): WorkError {
  return new WorkError(message, { cause, retryable: true, errorClass: 'invalid_answer' });
}

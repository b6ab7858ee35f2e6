import { Errors } from 'typebox/schema';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';

/** A tool that the model asks for. */
export interface RequestedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
}

/** What a provider has answered, in the words of this runtime. */
export interface Answer {
  readonly text: string;
  readonly calls: readonly RequestedCall[];
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
export function parsedArguments(name: string, given: string): Json {
  try {
    return given.trim() === '' ? {} : (JSON.parse(given) as Json);
  } catch (cause) {
    throw badAnswer(`the model asked for the tool ${name.slice(0, 100)} with arguments that are not JSON`, cause);
  }
}

/**
 * The output for an answer. With a schema it is parsed and checked. Without one, a text that is, whole or as its only fenced block, a JSON
 * object or list is parsed.
 */
export function outputOf({ text, finishReason }: Answer, schema: JsonObject | undefined): Json {
  const parsed = jsonIn(text);
  if (schema === undefined) return typeof parsed === 'object' && parsed !== null ? parsed : text;
  const cutOff = finishReason === 'length' ? '; it was cut off at the limit of tokens' : '';
  if (parsed === undefined) throw badAnswer(`the answer is not JSON, which output_schema requires${cutOff}`);
  const [valid, errors] = Errors(schema, parsed);
  if (valid) return parsed;
  const [first] = errors;
  const where = first === undefined ? '' : `: ${first.instancePath === '' ? 'it' : first.instancePath} ${first.message}`;
  throw badAnswer(`the answer does not match output_schema${where}`);
}

function jsonIn(text: string): Json | undefined {
  const fences = [...text.matchAll(/```(?:json)?[ \t]*\n([\s\S]*?)```/gi)];
  for (const candidate of [text, fences.length === 1 ? fences[0]?.[1] : undefined]) {
    if (candidate === undefined) continue;
    try {
      return JSON.parse(candidate) as Json;
    } catch {
      // Text, which is an answer too.
    }
  }
  return undefined;
}

/** Another attempt may bring a better one. */
export function badAnswer(message: string, cause?: unknown): WorkError {
  return new WorkError(message, { cause, retryable: true, errorClass: 'invalid_answer' });
}

import { setImmediate } from 'node:timers/promises';
import type { LanguageModelV3Content, LanguageModelV3GenerateResult, LanguageModelV3StreamPart } from '@ai-sdk/provider';
import { type Answer, badAnswer, parsedArguments } from './answer.ts';
import { tooManyCalls } from './call-limit.ts';

type Finish = Pick<LanguageModelV3GenerateResult, 'finishReason' | 'usage'>;

/** How long parts are read before the rest of the process has its turn. */
const TURN_MS = 10;

/** Reads a stream to its end. Throws when it has more tool calls than `maxCalls`. */
export async function readStream(
  stream: ReadableStream<LanguageModelV3StreamPart>,
  asked: string,
  onText: (text: string) => void,
  maxCalls: number,
): Promise<Answer> {
  const content: LanguageModelV3Content[] = [];
  let response: NonNullable<LanguageModelV3GenerateResult['response']> = {};
  let finish: Finish | null = null;
  let begun = 0;
  let calls = 0;
  let turnEndsAt = performance.now() + TURN_MS;
  for await (const part of stream) {
    if (part.type === 'error') throw part.error;
    // A client of a provider gives many calls whole only at the end of the stream.
    if (part.type === 'tool-input-start') begun += 1;
    else if (part.type === 'tool-call') calls += 1;
    if (begun > maxCalls || calls > maxCalls) throw tooManyCalls(maxCalls);
    if (performance.now() >= turnEndsAt) {
      await setImmediate();
      turnEndsAt = performance.now() + TURN_MS;
    }
    if (part.type === 'text-delta') {
      content.push({ type: 'text', text: part.delta });
      onText(part.delta);
    } else if (part.type === 'tool-call') content.push(part);
    else if (part.type === 'response-metadata') response = { ...response, ...part };
    else if (part.type === 'finish') finish = part;
  }
  if (finish === null || (finish.finishReason.unified === 'other' && finish.finishReason.raw === undefined))
    throw badAnswer('the stream of the provider ended before the answer did');
  return answerOf({ content, response, ...finish }, asked);
}

export function answerOf(
  { content, finishReason, usage, response }: Omit<LanguageModelV3GenerateResult, 'warnings'>,
  asked: string,
): Answer {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('');
  const calls = content.flatMap((part) =>
    part.type === 'tool-call' ? [{ id: part.toolCallId, name: part.toolName, ...parsedArguments(part.input) }] : [],
  );
  if (finishReason.unified === 'error') throw badAnswer('the provider reports that the model failed');
  if (finishReason.unified === 'tool-calls' && calls.length === 0)
    throw badAnswer('the model asked for tools, but for none by name');
  return {
    text,
    calls,
    finishReason: calls.length > 0 ? 'tool_calls' : finishReason.unified.replaceAll('-', '_'),
    model: response?.modelId || asked,
    inputTokens: usage.inputTokens.total,
    cachedInputTokens: usage.inputTokens.cacheRead,
    outputTokens: usage.outputTokens.total,
    costUsd: null,
    responseId: response?.id || undefined,
  };
}

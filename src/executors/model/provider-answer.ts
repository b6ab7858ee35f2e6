import type { LanguageModelV3Content, LanguageModelV3GenerateResult, LanguageModelV3StreamPart } from '@ai-sdk/provider';
import { type Answer, badAnswer, parsedArguments } from './answer.ts';

type Finish = Pick<LanguageModelV3GenerateResult, 'finishReason' | 'usage'>;

/** Reads a stream to its end. */
export async function readStream(
  stream: ReadableStream<LanguageModelV3StreamPart>,
  asked: string,
  onText: (text: string) => void,
): Promise<Answer> {
  const content: LanguageModelV3Content[] = [];
  let response: NonNullable<LanguageModelV3GenerateResult['response']> = {};
  let finish: Finish | null = null;
  for await (const part of stream) {
    if (part.type === 'error') throw part.error;
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
    part.type === 'tool-call'
      ? [{ id: part.toolCallId, name: part.toolName, arguments: parsedArguments(part.toolName, part.input) }]
      : [],
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

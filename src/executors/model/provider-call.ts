import type { LanguageModelV3, LanguageModelV3CallOptions, LanguageModelV3GenerateResult } from '@ai-sdk/provider';
import { type Answer, badAnswer, parsedArguments } from './answer.ts';
import { guardedFetch } from './guarded-fetch.ts';
import type { NamedModel } from './settings.ts';

/** Paths of the providers' interfaces, for an address that has none. */
const DEFAULT_URLS = {
  openai: 'https://api.openai.com/v1',
  'openai-responses': 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com/v1',
  google: 'https://generativelanguage.googleapis.com/v1beta',
  ollama: 'http://127.0.0.1:11434/v1',
  'openai-compatible': 'http://127.0.0.1/v1',
} as const;

/** Asks the provider. Rejects with whatever its client throws. */
export async function callProvider(named: NamedModel, options: LanguageModelV3CallOptions): Promise<Answer> {
  const model = await modelOf(named);
  const result = await model.doGenerate(options);
  return answerOf(result, named.model);
}

/** The client of a provider, which is loaded on first use: importing one takes 100 ms. */
async function modelOf(named: NamedModel): Promise<LanguageModelV3> {
  const baseURL = baseUrlOf(named);
  const { apiKey = '' } = named;
  const fetch = guardedFetch();
  switch (named.provider) {
    case 'openai':
    case 'openai-responses': {
      const { createOpenAI } = await import('@ai-sdk/openai');
      const provider = createOpenAI({ apiKey, baseURL, fetch });
      return named.provider === 'openai' ? provider.chat(named.model) : provider.responses(named.model);
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic');
      return createAnthropic({ apiKey, baseURL, fetch })(named.model);
    }
    case 'google': {
      const { createGoogleGenerativeAI } = await import('@ai-sdk/google');
      return createGoogleGenerativeAI({ apiKey, baseURL, fetch })(named.model);
    }
    case 'ollama':
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
      const key = named.apiKey === undefined ? {} : { apiKey: named.apiKey };
      return createOpenAICompatible({ name: named.provider, baseURL, fetch, supportsStructuredOutputs: true, ...key })(
        named.model,
      );
    }
    default: {
      const unhandled: never = named.provider;
      throw new TypeError(`unhandled provider ${String(unhandled)}`);
    }
  }
}

function baseUrlOf({ provider, baseUrl }: NamedModel): string {
  const usual = DEFAULT_URLS[provider];
  if (baseUrl === undefined) return usual;
  const url = new URL(baseUrl);
  return url.pathname === '/' ? `${url.origin}${new URL(usual).pathname}` : baseUrl.replace(/\/+$/, '');
}

function answerOf({ content, finishReason, usage, response }: LanguageModelV3GenerateResult, asked: string): Answer {
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

import { APICallError, type LanguageModelV3, type LanguageModelV3CallOptions } from '@ai-sdk/provider';
import { WorkError } from '../executor.ts';
import type { Answer } from './answer.ts';
import { limitedAnswer, limitedStream } from './call-limit.ts';
import { guardedFetch } from './guarded-fetch.ts';
import { answerOf, readStream } from './provider-answer.ts';
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

/** Statuses of servers that have no streams. */
const NOT_STREAMED: ReadonlySet<number> = new Set([404, 405, 501]);

/**
 * Asks the provider, which writes its answer as a stream; `onText` gets the text as it comes. A server without streams is asked for the
 * whole answer. Rejects with whatever the provider's client throws, and with `too_many_calls` beyond `maxCalls`, which is found before the client reads the
 * calls: it would read all of them at once.
 */
export async function callProvider(
  named: NamedModel,
  options: LanguageModelV3CallOptions,
  onText: ((text: string) => void) | undefined,
  maxCalls: number,
): Promise<Answer> {
  const fetch = guardedFetch(undefined, named.apiKey === undefined ? [] : [named.apiKey]);
  const whole: typeof fetch = async (input, init) => limitedAnswer(await fetch(input, init), maxCalls);
  if (onText === undefined) return answerOf(await (await modelOf(named, whole)).doGenerate(options), named.model);
  // A server may send the whole answer in spite of the request for a stream.
  let sentWhole: Response | null = null;
  const streaming = await modelOf(named, async (input, init) => {
    const response = await fetch(input, init);
    const type = response.headers.get('content-type') ?? '';
    if (response.ok && /^text\/html\b/i.test(type)) {
      void response.body?.cancel();
      throw new WorkError('the provider answered with a page (text/html) instead of a stream', {
        retryable: true,
        errorClass: 'invalid_response',
      });
    }
    const isWhole = response.ok && /^application\/json\b/i.test(type);
    if (!isWhole) return limitedStream(response, maxCalls);
    sentWhole = response;
    throw new WholeAnswer();
  });
  try {
    const { stream } = await streaming.doStream(options);
    return await readStream(stream, named.model, onText, maxCalls);
  } catch (error) {
    const response = sentWhole as Response | null;
    if (response === null && !isNotStreamed(error)) throw error;
    const model = await modelOf(named, response === null ? whole : () => limitedAnswer(response, maxCalls));
    return answerOf(await model.doGenerate(options), named.model);
  }
}

/** Ends a request for a stream whose answer came as a whole. */
class WholeAnswer extends Error {}

function isNotStreamed(error: unknown): boolean {
  return APICallError.isInstance(error) && NOT_STREAMED.has(error.statusCode ?? 0);
}

/** The client of a provider, which is loaded on first use: importing one takes 100 ms. */
async function modelOf(named: NamedModel, fetch: typeof globalThis.fetch): Promise<LanguageModelV3> {
  const baseURL = baseUrlOf(named);
  const { apiKey = '' } = named;
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
      return createOpenAICompatible({
        name: named.provider,
        baseURL,
        fetch,
        supportsStructuredOutputs: true,
        includeUsage: true,
        ...key,
      })(named.model);
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

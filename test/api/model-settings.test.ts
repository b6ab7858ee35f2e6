import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/server/compose.ts';
import { readConfig } from '../../src/server/config.ts';
import { reply } from '../executors/model/asking.ts';
import { webServer } from '../executors/web-server.ts';
import { databasePath } from '../support/runtimes.ts';

describe('the models of the environment', () => {
  it('are none by default', () => {
    expect(readConfig({}).models).toEqual({ providers: {}, names: {}, prices: {} });
  });

  it('have the keys and addresses of their providers', () => {
    const { models } = readConfig({
      OPENAI_API_KEY: 'a',
      OPENAI_BASE_URL: 'http://proxy/v1',
      GEMINI_API_KEY: 'g',
      OLLAMA_BASE_URL: 'http://gpu:11434',
      JAMJET_MODEL_SEAM_URL: 'http://127.0.0.1:9000/',
    });
    expect(models).toMatchObject({
      providers: {
        openai: { apiKey: 'a', baseUrl: 'http://proxy/v1' },
        google: { apiKey: 'g' },
        ollama: { baseUrl: 'http://gpu:11434' },
      },
      sidecarUrl: 'http://127.0.0.1:9000',
    });
  });

  it('have names and prices', () => {
    const { models } = readConfig({
      JAMJET_MODELS: JSON.stringify({
        fast: 'openai/gpt-4o-mini',
        house: { provider: 'openai-compatible', model: 'm', base_url: 'http://vllm/v1', api_key_env: 'VLLM_KEY', max_tokens: 9 },
        later: { provider: 'anthropic', model: 'c', api_key_env: 'UNSET' },
      }),
      JAMJET_MODEL_PRICES: '{"m": {"input": 1, "output": 2, "cached_input": 0.5}}',
      VLLM_KEY: 'v',
    });
    expect(models.names).toEqual({
      fast: { provider: 'openai', model: 'gpt-4o-mini' },
      house: {
        provider: 'openai-compatible',
        model: 'm',
        baseUrl: 'http://vllm/v1',
        apiKeyVariable: 'VLLM_KEY',
        apiKey: 'v',
        maxTokens: 9,
      },
      later: { provider: 'anthropic', model: 'c', apiKeyVariable: 'UNSET' },
    });
    expect(models.prices).toEqual({ m: { input: 1, output: 2, cachedInput: 0.5 } });
  });

  it.each([
    ['JAMJET_MODELS', 'fast', 'must be a JSON object'],
    ['JAMJET_MODELS', '{"a": "gpt-4o"}', 'the provider of "a"'],
    ['JAMJET_MODELS', '{"a": {"provider": "openai"}}', '"a" has no model'],
    ['JAMJET_MODELS', '{"a": {"provider": "openai-compatible", "model": "m"}}', 'needs a base_url'],
    ['JAMJET_MODELS', '{"a": {"provider": "openai", "model": "m", "api_key": "secret"}}', 'unknown key "api_key"'],
    ['JAMJET_MODELS', '{"a": {"provider": "openai", "model": "m", "base_url": "vllm"}}', 'base_url of "a"'],
    ['JAMJET_MODEL_PRICES', '{"m": {"input": 1}}', 'output of "m"'],
    ['OPENAI_BASE_URL', 'proxy', 'must be an http:// or https:// URL'],
    ['JAMJET_MODEL_SEAM_URL', 'sidecar', 'must be an http:// or https:// URL'],
  ])('are refused with a line that names the variable: %s=%s', (name, value, problem) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name}: .*${problem.replace(/[[\](){}/]/g, '.')}`));
  });
});

describe('a server with a model sidecar', () => {
  const start = (url: string) =>
    startServer({
      config: {
        ...readConfig({ JAMJET_MODEL_SEAM_URL: url, JAMJET_PORT: '0', JAMJET_LOG: 'off' }),
        database: { engine: 'sqlite', path: databasePath() },
      },
      auth: 'off',
    });

  it('starts when the sidecar is ready', async () => {
    const { url, requests } = await webServer((_request, response) => reply(response, { ok: true }));
    const server = await start(url);
    await server.close(0);
    expect(requests.map(({ url: path }) => path)).toEqual(['/health']);
  });

  it('does not start when it is not', async () => {
    const { url } = await webServer((_request, response) => reply(response, { ok: false }, 503));
    await expect(start(url)).rejects.toThrow('JAMJET_MODEL_SEAM_URL: the model sidecar is not ready: GET /health answered 503');
  });
});

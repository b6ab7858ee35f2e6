import { isObject, type Json } from '../../machines/json.ts';
import { type ModelPrice, type ModelSettings, type NamedModel, PROVIDERS } from '../executors/model/settings.ts';
import { InvalidValue } from './tenant-grants.ts';

// The models that the operator sets up through the environment.

type Environment = Readonly<Record<string, string | undefined>>;
type Providers = NonNullable<ModelSettings['providers']>;

/** Variables by provider; of several, the first that is set counts. */
const VARIABLES = {
  openai: { apiKey: ['OPENAI_API_KEY'], baseUrl: ['OPENAI_BASE_URL'] },
  anthropic: { apiKey: ['ANTHROPIC_API_KEY'], baseUrl: ['ANTHROPIC_BASE_URL'] },
  google: {
    apiKey: ['GOOGLE_GENERATIVE_AI_API_KEY', 'GOOGLE_API_KEY', 'GEMINI_API_KEY'],
    baseUrl: ['GOOGLE_GENERATIVE_AI_BASE_URL'],
  },
  ollama: { apiKey: [], baseUrl: ['OLLAMA_BASE_URL'] },
} as const satisfies Record<keyof Providers, { apiKey: readonly string[]; baseUrl: readonly string[] }>;

/** Names of the variables with addresses of providers. */
export const BASE_URL_VARIABLES: readonly string[] = Object.values(VARIABLES).flatMap(({ baseUrl }) => baseUrl);

export function providersOf(env: Environment): Providers {
  const found = Object.entries(VARIABLES).flatMap(([provider, variables]) => {
    const apiKey = firstSet(variables.apiKey, env);
    const baseUrl = firstSet(variables.baseUrl, env);
    const access = { ...(apiKey === undefined ? {} : { apiKey }), ...(baseUrl === undefined ? {} : { baseUrl }) };
    return Object.keys(access).length === 0 ? [] : [[provider, access] as const];
  });
  return Object.fromEntries(found);
}

function firstSet(names: readonly string[], env: Environment): string | undefined {
  return names.map((name) => env[name]?.trim()).find((value) => value !== undefined && value !== '');
}

/** Parses `JAMJET_MODELS`: by name, `"provider/model"` or `{provider, model, base_url, api_key_env, temperature, max_tokens}`. */
export function namedModels(text: string, env: Environment): Readonly<Record<string, NamedModel>> {
  return Object.fromEntries(
    Object.entries(objectIn(text, 'names to models')).map(([name, raw]) => [name, namedModel(name, raw, env)]),
  );
}

/** One entry of `JAMJET_MODELS`, or of `[models]` in the operator's file. Throws `InvalidValue`. */
export function namedModel(name: string, raw: Json, env: Environment): NamedModel {
  const at = typeof raw === 'string' ? raw.indexOf('/') : -1;
  const entry = typeof raw === 'string' ? { provider: raw.slice(0, Math.max(at, 0)), model: raw.slice(at + 1) } : raw;
  if (!isObject(entry)) throw new InvalidValue(`"${name}" must be "provider/model" or an object {provider, model}`);
  const { provider, model, base_url, api_key_env, temperature, max_tokens, ...others } = entry;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new InvalidValue(`"${name}" has an unknown key "${unknown}"`);
  const known = PROVIDERS.find((candidate) => candidate === provider);
  if (known === undefined) throw new InvalidValue(`the provider of "${name}" must be one of ${PROVIDERS.join(', ')}`);
  if (typeof model !== 'string' || model === '') throw new InvalidValue(`"${name}" has no model`);
  if (known === 'openai-compatible' && base_url === undefined) throw new InvalidValue(`"${name}" needs a base_url`);
  return {
    provider: known,
    model,
    ...(base_url === undefined ? {} : { baseUrl: url(name, base_url) }),
    ...keyOf(name, api_key_env, env),
    ...(temperature === undefined ? {} : { temperature: amount(name, 'temperature', temperature) }),
    ...(max_tokens === undefined ? {} : { maxTokens: amount(name, 'max_tokens', max_tokens) }),
  };
}

function keyOf(name: string, variable: Json | undefined, env: Environment): Pick<NamedModel, 'apiKey' | 'apiKeyVariable'> {
  if (variable === undefined) return {};
  if (typeof variable !== 'string' || !/^[A-Za-z_]\w*$/.test(variable))
    throw new InvalidValue(`api_key_env of "${name}" must be the name of a variable`);
  const apiKey = firstSet([variable], env);
  return { apiKeyVariable: variable, ...(apiKey === undefined ? {} : { apiKey }) };
}

/** Parses `JAMJET_MODEL_PRICES`: by the provider's name of a model, US dollars for a million tokens. */
export function modelPrices(text: string): Readonly<Record<string, ModelPrice>> {
  return Object.fromEntries(
    Object.entries(objectIn(text, 'models to prices')).map(([model, raw]) => {
      const { input, output, cached_input } = isObject(raw) ? raw : {};
      const cached = cached_input === undefined ? {} : { cachedInput: amount(model, 'cached_input', cached_input) };
      return [model, { input: amount(model, 'input', input), output: amount(model, 'output', output), ...cached }];
    }),
  );
}

function objectIn(text: string, what: string): Readonly<Record<string, Json>> {
  try {
    const parsed = JSON.parse(text) as Json;
    if (isObject(parsed)) return parsed;
  } catch {
    // Reported like any other text that is no object.
  }
  throw new InvalidValue(`must be a JSON object from ${what}`);
}

function amount(name: string, key: string, value: Json | undefined): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new InvalidValue(`${key} of "${name}" must be a number from 0`);
}

function url(name: string, value: Json): string {
  const parsed = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new InvalidValue(`base_url of "${name}" must be an http:// or https:// URL`);
  return String(value);
}

import { keyVariableOf, modelNameOf } from '../../../machines/nodes/model-names.ts';
import { WorkError } from '../executor.ts';
import type { ModelSettings, NamedModel } from './settings.ts';

const SYNONYMS: Readonly<Record<string, string>> = { gemini: 'google', google_genai: 'google' };
const DEFAULT_OLLAMA_URL = 'http://127.0.0.1:11434';

/** The model behind the name in a workflow. Throws a `WorkError` that says what the operator has to set. */
export function resolveModel(name: string, settings: ModelSettings): NamedModel {
  const { names = {}, providers = {} } = settings;
  const named = Object.hasOwn(names, name) ? names[name] : undefined;
  if (named !== undefined) return withKey(withAccess(named, providers), name);
  const known = modelNameOf(name);
  const provider = known === null ? '' : (SYNONYMS[known.provider] ?? known.provider);
  if (known === null || !isProvider(provider)) {
    throw new WorkError(
      `the model "${name}" is not known: name it as provider/model (openai, anthropic, google, ollama), declare it in the workflow's models, or in JAMJET_MODELS`,
      { retryable: false, errorClass: 'unknown_model' },
    );
  }
  return withKey(withAccess({ provider, model: known.model }, providers), name);
}

function isProvider(name: string): name is Exclude<NamedModel['provider'], 'openai-compatible'> {
  return name === 'ollama' || keyVariableOf(name) !== null;
}

/** A provider's key goes only to the address that the operator has set for the provider: a name with an address has a key of its own, or none. */
function withAccess(named: NamedModel, providers: NonNullable<ModelSettings['providers']>): NamedModel {
  const { provider } = named;
  if (provider === 'openai-compatible') return named;
  if (provider === 'ollama') {
    const baseUrl = named.baseUrl ?? providers.ollama?.baseUrl ?? DEFAULT_OLLAMA_URL;
    return { ...named, baseUrl: /\/v1\/?$/.test(baseUrl) ? baseUrl : `${baseUrl.replace(/\/$/, '')}/v1` };
  }
  if (named.baseUrl !== undefined) return named.apiKeyVariable === undefined ? { apiKey: 'none', ...named } : named;
  const access = providers[provider === 'openai-responses' ? 'openai' : provider];
  return named.apiKey !== undefined || named.apiKeyVariable !== undefined
    ? { ...(access?.baseUrl === undefined ? {} : { baseUrl: access.baseUrl }), ...named }
    : { ...named, ...access };
}

function withKey(named: NamedModel, name: string): NamedModel {
  const variable = named.apiKeyVariable ?? keyVariableOf(named.provider);
  if (named.apiKey !== undefined || variable === null) return named;
  throw new WorkError(`the model "${name}" needs a key: set ${variable}`, { retryable: false, errorClass: 'missing_key' });
}

import type { ModelScript } from './script.ts';

/** US dollars for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  /** Input tokens that the provider had cached. Default: as `input`. */
  readonly cachedInput?: number;
}

/** The interface of a provider. `openai` is Chat Completions, `openai-responses` the Responses API. */
export const PROVIDERS = ['openai', 'openai-responses', 'anthropic', 'google', 'ollama', 'openai-compatible'] as const;
/** A provider of models. */
export type ProviderName = (typeof PROVIDERS)[number];

/** How a provider is reached. */
export interface ProviderAccess {
  readonly apiKey?: string;
  readonly baseUrl?: string;
}

/** A model that the operator has given a name. */
export interface NamedModel extends ProviderAccess {
  readonly provider: ProviderName;
  readonly model: string;
  /** The variable that should have held the key, for error messages. */
  readonly apiKeyVariable?: string;
  readonly temperature?: number;
  readonly maxTokens?: number;
}

/** The models that `model` nodes may use, as the operator has set them up. */
export interface ModelSettings {
  /** Keys and addresses of `openai`, `anthropic`, `google` and `ollama`. */
  readonly providers?: { readonly [P in 'openai' | 'anthropic' | 'google' | 'ollama']?: ProviderAccess };
  /** Models by the names that workflows use for them. They take precedence over what a name says. */
  readonly names?: Readonly<Record<string, NamedModel>>;
  /** Prices by the provider's name of the model, beside and before the built-in ones. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** Answers for every model, in the place of providers. */
  readonly script?: ModelScript;
  /** Base URL of a model sidecar, which answers for every model that `names` does not have. */
  readonly sidecarUrl?: string;
}

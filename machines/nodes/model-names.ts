/** What a model's name says of its provider. */
export interface ModelName {
  readonly provider: string;
  readonly model: string;
}

/** Providers of models whose names begin so. */
const FAMILIES: readonly (readonly [pattern: RegExp, provider: string])[] = [
  [/^(?:gpt-|chatgpt-|o\d)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^gemini-/, 'google'],
];

/** The variable with the key of a provider. */
const KEY_VARIABLES: Readonly<Record<string, string>> = {
  openai: 'OPENAI_API_KEY',
  'openai-responses': 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GOOGLE_GENERATIVE_AI_API_KEY',
  google_genai: 'GOOGLE_GENERATIVE_AI_API_KEY',
  gemini: 'GOOGLE_GENERATIVE_AI_API_KEY',
};

/** Null = the provider needs no key, or is not known. */
export function keyVariableOf(provider: string): string | null {
  return Object.hasOwn(KEY_VARIABLES, provider) ? (KEY_VARIABLES[provider] ?? null) : null;
}

/** `openai/gpt-4o`, or the name of a model of a known family: `gpt-4o`. Null = the name does not say the provider. */
export function modelNameOf(name: string): ModelName | null {
  const at = name.indexOf('/');
  if (at > 0 && at < name.length - 1) return { provider: name.slice(0, at), model: name.slice(at + 1) };
  const family = FAMILIES.find(([pattern]) => pattern.test(name));
  return family === undefined ? null : { provider: family[1], model: name };
}

/** The model's name with its provider if the workflow declares it, else as it is written. */
export function declaredNameOf(name: string, declared: ModelName | undefined): string {
  return declared === undefined ? name : `${declared.provider}/${declared.model}`;
}

/** The names by which an allowlist may know a model: as it is written, and with its provider. */
export function namesOfModel(name: string): readonly string[] {
  const known = modelNameOf(name);
  return known === null ? [name] : [...new Set([name, `${known.provider}/${known.model}`])];
}

/** The keys of model nodes whose value may be the path of a file. */
export const PROMPT_KEYS = ['prompt_ref', 'system_prompt'];

/** Does a prompt name a file, which a client puts into the document, instead of being the text itself? */
export function isPromptFile(prompt: string): boolean {
  return !/\s|\{\{/.test(prompt) && (/\.(?:md|txt|j2)$/.test(prompt) || prompt.startsWith('prompts/'));
}

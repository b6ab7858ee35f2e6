import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { authOf } from './card-auth.ts';

export const AUTONOMY = ['deterministic', 'guided', 'bounded_autonomous', 'fully_autonomous'] as const;
export type Autonomy = (typeof AUTONOMY)[number];

/** A skill that an agent offers. Other fields of it (`input_schema`, `tags`, …) are kept. */
export type Skill = JsonObject & { readonly id: string; readonly name: string; readonly description: string };

/** What an agent can do, as its card says. */
export type Capabilities = JsonObject & {
  readonly skills: readonly Skill[];
  readonly protocols: readonly string[];
  readonly tools_provided: readonly string[];
  readonly tools_consumed: readonly string[];
};

/** A normalised card: all fields below are present; other fields are kept unchanged. */
export type AgentCard = JsonObject & {
  readonly id: string;
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly capabilities: Capabilities;
  readonly autonomy: Autonomy;
  readonly constraints: JsonObject | null;
  readonly auth: JsonObject;
  readonly latency_class: string | null;
  readonly cost_class: string | null;
  readonly reasoning_modes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
};

export const MAX_ID_CHARS = 200;
const MAX_URI_CHARS = 2_048;
const MAX_CARD_CHARS = 64 * 1024;
const DEFAULT_VERSION = '0.1.0';

/**
 * Normalises a card written as this API does or as A2A does (0.2 to 1.0: `url` or `supportedInterfaces`, skills at the top level). Missing
 * fields get defaults, and fields of the wrong type are ignored; only `id`, `name` and an address are required. Throws `RuntimeError`
 * `bad_request`.
 */
export function readCard(given: JsonObject): AgentCard {
  const capabilities = isObject(given.capabilities) ? given.capabilities : {};
  const isA2a = given.url !== undefined || given.supportedInterfaces !== undefined || given.skills !== undefined;
  const protocols = texts(capabilities.protocols);
  const card: AgentCard = {
    ...given,
    id: checkedId(given.id),
    uri: checkedUri(addressOf(given)),
    name: checkedName(given.name),
    description: text(given.description) ?? '',
    version: text(given.version) ?? DEFAULT_VERSION,
    capabilities: {
      ...capabilities,
      skills: list(capabilities.skills ?? given.skills).flatMap(skillOf),
      protocols: protocols.length > 0 || !isA2a ? protocols : ['a2a'],
      tools_provided: texts(capabilities.tools_provided),
      tools_consumed: texts(capabilities.tools_consumed),
    },
    autonomy: AUTONOMY.find((known) => known === given.autonomy) ?? 'guided',
    constraints: isObject(given.constraints) ? given.constraints : null,
    auth: authOf(given),
    latency_class: text(given.latency_class),
    cost_class: text(given.cost_class),
    reasoning_modes: texts(given.reasoning_modes),
    labels: labelsOf(given.labels),
  };
  if (JSON.stringify(card).length > MAX_CARD_CHARS) throw invalid(`the card is longer than ${MAX_CARD_CHARS / 1024} KiB`);
  return card;
}

/** The search keys of an agent, in lower case. A protocol `mcp_…` is found as `mcp` too. */
export function traitsOf(card: AgentCard): readonly string[] {
  const { skills, protocols } = card.capabilities;
  const domain = card.labels.trust_domain;
  return [
    ...new Set([
      ...skills.flatMap((skill) => [trait('skill', skill.id), trait('skill', skill.name)]),
      ...protocols.map((protocol) => trait('protocol', protocol)),
      ...protocols.filter((protocol) => /^mcp_/i.test(protocol)).map(() => trait('protocol', 'mcp')),
      ...(domain === undefined ? [] : [trait('trust_domain', domain)]),
    ]),
  ];
}

export function trait(kind: 'skill' | 'protocol' | 'trust_domain', value: string): string {
  return `${kind}:${value.toLowerCase().toWellFormed()}`;
}

/** The address in a card, under any of its field names; undefined if it has none. */
export function addressOf(given: JsonObject): Json | undefined {
  const [preferred] = list(given.supportedInterfaces);
  return given.uri ?? given.url ?? (isObject(preferred) ? preferred.url : undefined);
}

function checkedId(id: Json | undefined): string {
  if (typeof id !== 'string' || id === '') throw invalid('id is required');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this rejects
  if (id.length > MAX_ID_CHARS || !id.isWellFormed() || /[\u0000-\u001f\u007f]/.test(id) || id.trim() !== id)
    throw invalid(`id must be printable text of at most ${MAX_ID_CHARS} characters`);
  // Reserved API paths, and path segments that URLs normalise away.
  if (['search', '.', '..'].includes(id)) throw invalid(`id must not be "${id}": it cannot be used in a URL`);
  return id;
}

function checkedName(name: Json | undefined): string {
  if (typeof name !== 'string' || name.trim() === '') throw invalid('name is required');
  return name;
}

function checkedUri(uri: Json | undefined): string {
  if (typeof uri !== 'string' || uri === '') throw invalid('uri is required');
  const parsed = uri.length <= MAX_URI_CHARS && URL.canParse(uri) ? new URL(uri) : null;
  if (parsed === null) throw invalid(`uri must be an absolute URI of at most ${MAX_URI_CHARS} characters`);
  if (parsed.username !== '' || parsed.password !== '') throw invalid('uri must not contain a user name or password');
  return uri;
}

function skillOf(given: Json): readonly Skill[] {
  const skill = isObject(given) ? given : { name: given };
  const name = text(skill.name) ?? text(skill.id);
  if (name === null) return [];
  return [{ ...skill, id: text(skill.id) ?? name, name, description: text(skill.description) ?? '' }];
}

function labelsOf(given: Json | undefined): Readonly<Record<string, string>> {
  const labels = isObject(given) ? Object.entries(given) : [];
  return Object.fromEntries(labels.filter((label): label is [string, string] => typeof label[1] === 'string'));
}

function list(given: Json | undefined): readonly Json[] {
  return Array.isArray(given) ? given : [];
}

function texts(given: Json | undefined): readonly string[] {
  return list(given).filter((entry) => typeof entry === 'string');
}

function text(given: Json | undefined): string | null {
  return typeof given === 'string' && given !== '' ? given : null;
}

function invalid(message: string): RuntimeError {
  return new RuntimeError('bad_request', message);
}

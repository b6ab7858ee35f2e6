import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { WorkError } from '../../executors/executor.ts';
import type { Outbound } from '../../executors/outbound/index.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { addressOf, MAX_ID_CHARS } from './card.ts';

const WELL_KNOWN_PATHS = ['.well-known/agent.json', '.well-known/agent-card.json'];
/** Errors of the server itself (unreachable or blocked): another path on it would fail the same way. */
const FATAL_ERROR_CLASSES: ReadonlySet<string | null> = new Set(['blocked_address', 'io_error', 'connection_reset', 'timeout']);

/** A discovered card. `id` and `uri` are filled in from its name and URL if it has none. */
export interface DiscoveredCard {
  readonly card: JsonObject & { readonly id: string };
  /** False = the id was derived from the name. */
  readonly hasOwnId: boolean;
  /** The URL that returned the card. */
  readonly url: string;
}

/**
 * Looks for an agent's card: at the URL itself if it names a JSON file, at the well-known paths below it, at those of its host, and last at
 * the URL as it is. `signal` bounds the whole search. Throws `RuntimeError` `bad_request` for a URL that is not http(s), and `remote_failed`
 * if no card is found.
 */
export async function findCard(outbound: Outbound, text: string, signal: AbortSignal): Promise<DiscoveredCard> {
  const base = parseUrl(text);
  const failures: string[] = [];
  for (const url of candidateUrls(base)) {
    try {
      const headers = { accept: 'application/json' };
      const response = await outbound.request({ url, method: 'GET', headers, body: null, signal });
      const card = parseCard(response.text);
      if (card !== null) return { ...withIdAndUri(card, base), url };
      failures.push(`${url} is not an agent card`);
    } catch (error) {
      if (!(error instanceof WorkError)) throw error;
      failures.push(error.message);
      if (FATAL_ERROR_CLASSES.has(error.errorClass)) break;
    }
  }
  // The first failure is about the most likely location.
  throw new RuntimeError('remote_failed', `no agent card at ${base.origin}${base.pathname}: ${failures[0] ?? 'no response'}`);
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new RuntimeError('bad_request', 'url must be an http:// or https:// URL');
  if (url.username !== '' || url.password !== '')
    throw new RuntimeError('bad_request', 'url must not contain a user name or password');
  url.hash = '';
  return url;
}

function candidateUrls(base: URL): readonly string[] {
  const below = namesFile(base) ? [] : WELL_KNOWN_PATHS.map((path) => `${folderOf(base)}/${path}`);
  const ofHost = WELL_KNOWN_PATHS.map((path) => `${base.origin}/${path}`);
  return [...new Set([...(namesFile(base) ? [base.href] : []), ...below, ...ofHost, base.href])];
}

function namesFile(base: URL): boolean {
  return base.pathname.toLowerCase().endsWith('.json');
}

/** Without a trailing slash. For a file, the host alone, since cards lie at well-known paths. */
function folderOf(base: URL): string {
  return namesFile(base) ? base.origin : `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
}

/** A JSON object with a name or id; without either it is some other document. */
function parseCard(text: string): JsonObject | null {
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  return isObject(json) && (isText(json.name) || isText(json.id)) ? json : null;
}

function withIdAndUri(card: JsonObject, base: URL): Omit<DiscoveredCard, 'url'> {
  const name = isText(card.name) ? card.name : String(card.id);
  const id = isText(card.id) ? card.id : slug(name) || slug(base.host);
  return { card: { ...card, id, name, uri: absolute(addressOf(card), base) }, hasOwnId: isText(card.id) };
}

/** The absolute address of the agent: some cards have a relative one, some none. */
function absolute(uri: Json | undefined, base: URL): string {
  if (!isText(uri)) return folderOf(base);
  return URL.canParse(uri) || !URL.canParse(uri, base.href) ? uri : new URL(uri, base.href).href;
}

/** `Research Agent` → `research-agent`. */
export function slug(text: string): string {
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-+|-+$/g, '').slice(0, MAX_ID_CHARS);
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

import type { Json, JsonObject } from '../../../machines/json.ts';
import { findCard, folderOf, isText, parseAgentUrl } from '../../executors/a2a/find-card.ts';
import { WorkError } from '../../executors/executor.ts';
import type { Outbound } from '../../executors/outbound/index.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { addressOf, MAX_ID_CHARS } from './card.ts';

/** A discovered card. `id` and `uri` are filled in from its name and URL if it has none. */
export interface DiscoveredCard {
  readonly card: JsonObject & { readonly id: string };
  /** False = the id was derived from the name. */
  readonly hasOwnId: boolean;
  /** The URL that returned the card. */
  readonly url: string;
}

/**
 * Looks for an agent's card, as `findCard` does. `signal` bounds the whole search. Throws `RuntimeError` `bad_request` for a URL that is not
 * http(s), and `remote_failed` if no card is found.
 */
export async function discoverCard(outbound: Outbound, text: string, signal: AbortSignal): Promise<DiscoveredCard> {
  try {
    const base = parseAgentUrl(text);
    const { card, url } = await findCard(outbound, { url: text, signal });
    return { ...withIdAndUri(card, base), url };
  } catch (error) {
    if (!(error instanceof WorkError)) throw error;
    throw new RuntimeError(error.errorClass === 'validation' ? 'bad_request' : 'remote_failed', error.message, { cause: error });
  }
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

import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';
import type { Outbound } from '../outbound/index.ts';

const WELL_KNOWN_PATHS = ['.well-known/agent.json', '.well-known/agent-card.json'];
/** Errors of the server itself (unreachable or blocked): another path on it would fail the same way. */
const FATAL_ERROR_CLASSES: ReadonlySet<string | null> = new Set(['blocked_address', 'io_error', 'connection_reset', 'timeout']);

export interface FoundCard {
  readonly card: JsonObject;
  /** The URL that returned the card. */
  readonly url: string;
}

export interface CardRequest {
  readonly url: string;
  /** Path of the card on the host; absent = the well-known paths. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Taken out of responses. */
  readonly secrets?: readonly string[];
  /** Bounds the whole search. */
  readonly signal: AbortSignal;
}

/**
 * Looks for an agent's card: at the URL itself if it names a JSON file, at the well-known paths below it, at those of its host, and last at
 * the URL as it is. Throws `WorkError`: `validation` for a URL that is not http(s), `no_agent_card` if the host has no card, else as the
 * host failed.
 */
export async function findCard(outbound: Outbound, request: CardRequest): Promise<FoundCard> {
  const base = parseAgentUrl(request.url);
  const { path, headers = {}, secrets = [], signal } = request;
  const failures: WorkError[] = [];
  for (const url of path === undefined ? candidateUrls(base) : [new URL(path, base).href]) {
    try {
      const sent = { accept: 'application/json', ...headers };
      const response = await outbound.request({ url, method: 'GET', headers: sent, body: null, signal, secrets });
      const card = parseCard(response.text);
      if (card !== null) return { card, url };
      failures.push(notFound(`${url} is not an agent card`));
    } catch (error) {
      if (!(error instanceof WorkError) || signal.aborted) throw error;
      failures.push(error);
      if (FATAL_ERROR_CLASSES.has(error.errorClass)) break;
    }
  }
  // The first failure is about the most likely location.
  const [first] = failures;
  const message = `no agent card at ${base.origin}${base.pathname}: ${first?.message ?? 'no response'}`;
  if (first === undefined || ['no_agent_card', 'client_error'].includes(first.errorClass ?? '')) throw notFound(message);
  const { retryable, errorClass, httpStatus } = first;
  throw new WorkError(message, {
    cause: first,
    retryable,
    ...(errorClass === null ? {} : { errorClass }),
    ...(httpStatus === null ? {} : { httpStatus }),
  });
}

/** Throws `WorkError` `validation`. */
export function parseAgentUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw invalid('url must be an http:// or https:// URL');
  if (url.username !== '' || url.password !== '') throw invalid('url must not contain a user name or password');
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
export function folderOf(base: URL): string {
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

export function isText(value: Json | undefined): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function notFound(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'no_agent_card' });
}

function invalid(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'validation' });
}

import http from 'node:http';
import { shortened } from '../../../machines/shortened.ts';
import { WorkError } from '../executor.ts';

/** Headers that the HTTP client sets. */
const RESERVED_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'accept-encoding',
]);
/** Headers that are sent to another origin after a redirect: none of them can hold a credential. */
const SAFE_ACROSS_ORIGINS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

/** One request of an exchange: the first, or one after a redirect. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Taken out of the response. */
  readonly secrets: readonly string[];
}

/** The first request of an exchange. Throws `WorkError` `validation` for a URL or header that cannot be sent. */
export function firstHop(request: {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly secrets?: readonly string[];
}): Hop {
  return {
    url: parseUrl(request.url, null),
    method: request.method,
    headers: checkedHeaders(request.headers),
    body: request.body,
    secrets: request.secrets ?? [],
  };
}

/** The request after a redirect: as GET where browsers do so, and without possible credentials to another origin. */
export function redirected(hop: Hop, status: number, location: string): Hop {
  const url = parseUrl(location, hop.url);
  const sameOrigin = url.origin === hop.url.origin;
  const asGet = (status === 303 && hop.method !== 'HEAD') || (hop.method === 'POST' && (status === 301 || status === 302));
  const headers = Object.entries(hop.headers).filter(
    ([name]) => (sameOrigin || SAFE_ACROSS_ORIGINS.has(name)) && !(asGet && name === 'content-type'),
  );
  return {
    url,
    method: asGet ? 'GET' : hop.method,
    headers: Object.fromEntries(headers),
    body: asGet ? null : hop.body,
    secrets: hop.secrets,
  };
}

/** The URL for error texts: without its query, which may hold secrets. */
export function displayUrl(url: URL): string {
  const text = `${url.origin}${url.pathname}`;
  return shortened(text, 300);
}

function parseUrl(text: string, base: URL | null): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : null;
  const quoted = `"${shortened(text, 200)}"`;
  if (url === null) throw invalid(`${quoted} is not a URL`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`${quoted} is not an http:// or https:// URL`);
  if (url.username !== '' || url.password !== '') {
    throw invalid(`the URL for ${url.host} contains a user name or password; put credentials into a header`);
  }
  return url;
}

function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (RESERVED_HEADERS.has(lower) || lower.startsWith('proxy-'))
      throw invalid(`header "${name}" is reserved: the runtime sets it`);
    try {
      http.validateHeaderName(name);
      http.validateHeaderValue(name, value);
    } catch {
      throw invalid(`header "${shortened(name, 100)}" contains a character that is not allowed in headers`);
    }
    clean[lower] = value;
  }
  return clean;
}

function invalid(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'validation' });
}

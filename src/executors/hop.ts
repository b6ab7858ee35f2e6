import http from 'node:http';
import { WorkError } from './executor.ts';

/** Set by the client itself. */
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
/** What another origin may see after a redirect: nothing that could be a credential. */
const SAFE_ACROSS_ORIGINS = new Set(['accept', 'accept-language', 'content-type', 'user-agent']);

/** One request on its way, possibly after redirects. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The request as it sets out. Throws `WorkError` `validation` for a URL or headers that cannot be sent. */
export function firstHop(request: {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}): Hop {
  return {
    url: parseUrl(request.url, null),
    method: request.method,
    headers: checkedHeaders(request.headers),
    body: request.body,
  };
}

/** Where a redirect sends it: as GET where browsers do so, and to another origin without anything that may be a credential. */
export function redirected(hop: Hop, status: number, location: string): Hop {
  const url = parseUrl(location, hop.url);
  const sameOrigin = url.origin === hop.url.origin;
  const asGet = (status === 303 && hop.method !== 'HEAD') || (hop.method === 'POST' && (status === 301 || status === 302));
  const headers = Object.entries(hop.headers).filter(
    ([name]) => (sameOrigin || SAFE_ACROSS_ORIGINS.has(name)) && !(asGet && name === 'content-type'),
  );
  return { url, method: asGet ? 'GET' : hop.method, headers: Object.fromEntries(headers), body: asGet ? null : hop.body };
}

/** A URL for error texts: without the query, which may hold secrets. */
export function displayUrl(url: URL): string {
  const text = `${url.origin}${url.pathname}`;
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function parseUrl(text: string, base: URL | null): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base?.href) : null;
  const quoted = `"${text.length > 200 ? `${text.slice(0, 200)}…` : text}"`;
  if (url === null) throw invalid(`${quoted} is not a URL`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`${quoted} is neither http nor https`);
  if (url.username !== '' || url.password !== '') {
    throw invalid(`the URL for ${url.host} holds a user name or password: put credentials into a header`);
  }
  return url;
}

function checkedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (RESERVED_HEADERS.has(lower) || lower.startsWith('proxy-')) throw invalid(`header "${name}" is set by the runtime itself`);
    try {
      http.validateHeaderName(name);
      http.validateHeaderValue(name, value);
    } catch {
      throw invalid(`header "${name.slice(0, 100)}" has a character that headers may not have`);
    }
    clean[lower] = value;
  }
  return clean;
}

function invalid(message: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass: 'validation' });
}

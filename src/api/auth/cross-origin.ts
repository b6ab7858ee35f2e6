import { isIP } from 'node:net';
import { type Config, urlOf } from '../../server/config.ts';
import { RequestError } from '../errors.ts';

interface Headers {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

/** Protects a server without authentication from web pages: throws `RequestError` `forbidden` for their requests. */
export function rejectCrossOrigin(headers: Headers, config: Pick<Config, 'bind' | 'publicUrl'>): void {
  if (isCrossOrigin(headers, config))
    throw new RequestError('forbidden', 'this server runs without authentication and refuses requests of other sites');
}

/**
 * Is it a request of a page of another site (`Origin`), or one to a host name that is neither an address nor configured (DNS
 * rebinding)? The public URL counts as this site, whether its proxy keeps the `Host` header or not.
 */
export function isCrossOrigin(headers: Headers, { bind, publicUrl }: Pick<Config, 'bind' | 'publicUrl'>): boolean {
  const host = parsed(headers.host === undefined ? undefined : `http://${headers.host}`);
  const origin = parsed(headers.origin);
  const configured = parsed(publicUrl ?? undefined);
  const isOwnOrigin = ({ host: name, hostname, origin: site }: URL): boolean =>
    name === host?.host || isLoopback(hostname) || site === configured?.origin;
  const sameSite = headers.origin === undefined || (origin !== null && isOwnOrigin(origin));
  const isOwn = (name: string): boolean =>
    isLoopback(name) ||
    name === configured?.hostname ||
    (!isLoopback(bind) && (isIP(unbracketed(name)) !== 0 || name === parsed(urlOf(bind, 0))?.hostname));
  const knownName = headers.host === undefined || (host !== null && isOwn(host.hostname));
  return !sameSite || !knownName;
}

function parsed(url: string | undefined): URL | null {
  return url !== undefined && URL.canParse(url) ? new URL(url) : null;
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** `host`: the host of a URL, or an address to bind to. */
export function isLoopback(host: string): boolean {
  const name = unbracketed(host);
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

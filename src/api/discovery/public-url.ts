import { type Config, urlOf } from '../../server/config.ts';
import { isLoopback } from '../auth/cross-origin.ts';
import type { Api } from '../services.ts';

/** Wildcard addresses: a server can listen on them, but a client cannot call them. */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * The URL of this server, without a trailing slash: the configured one, else the address it listens on. Loopback and wildcard addresses
 * become `localhost`, because `did:web` identifiers must not contain an IP address.
 */
export function publicUrl(app: Api, config: Config): string {
  if (config.publicUrl !== null) {
    const { origin, pathname } = new URL(config.publicUrl);
    return `${origin}${pathname.replace(/\/+$/, '')}`;
  }
  const address = app.server.address();
  const port = address !== null && typeof address === 'object' ? address.port : config.port;
  return urlOf(isLoopback(config.bind) || UNSPECIFIED.has(config.bind) ? 'localhost' : config.bind, port);
}

import { type Config, urlOf } from '../../config.ts';
import { isLoopback } from '../auth/authenticator.ts';
import type { Api } from '../services.ts';

/** Addresses that stand for all of a machine's: nobody can be told to call them. */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * How others reach this server, without a trailing slash: as configured, else where it listens. On this machine alone that is
 * `localhost`, as the identifiers made of it may not hold an IP address.
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

import { isLoopback } from '../connection/connect.ts';

export interface Handshake {
  /** The `Host` header. */
  readonly host?: string | undefined;
  /** The `Origin` header: browsers send it for every page that opens a socket, and pages cannot change it. */
  readonly origin?: string | undefined;
}

/**
 * Why somebody who knocks is not let in; null = they are. Only programs of this machine reach it, but a browser is one, and runs the pages of
 * strangers: they come with an origin of their own, or with a host name of their own that they had resolved to this machine.
 */
export function rejectionReason({ host, origin }: Handshake): string | null {
  if (host === undefined || !URL.canParse(`http://${host}`) || !isLoopback(`http://${host}`))
    return 'only localhost is known here, under no other name';
  if (origin === undefined || isAllowedOrigin(origin)) return null;
  return `pages of ${origin.slice(0, 120)} may not read executions`;
}

/** Pages of this machine, and Stately's. */
function isAllowedOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  if (protocol === 'https:' && (hostname === 'stately.ai' || hostname.endsWith('.stately.ai'))) return true;
  return (protocol === 'http:' || protocol === 'https:') && isLoopback(origin);
}

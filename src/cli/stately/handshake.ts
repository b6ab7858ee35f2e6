import { isLoopback } from '../connection/loopback.ts';

export interface Handshake {
  /** The `Host` header. */
  readonly host?: string | undefined;
  /** The `Origin` header: set by the browser for every page that opens a socket; pages cannot change it. */
  readonly origin?: string | undefined;
}

/**
 * Why a connection is rejected; null = accepted. Only programs of this machine can connect, but a browser runs pages of other sites: those
 * have a foreign origin, or a foreign host name that resolves to this machine (DNS rebinding).
 */
export function rejectionReason({ host, origin }: Handshake): string | null {
  if (host === undefined || !URL.canParse(`http://${host}`) || !isLoopback(`http://${host}`))
    return 'the Host header must be a loopback address';
  if (origin === undefined || isAllowedOrigin(origin)) return null;
  return `pages of ${origin.slice(0, 120)} are not allowed to read executions`;
}

/** Pages of this machine and of stately.ai. */
function isAllowedOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  if (protocol === 'https:' && (hostname === 'stately.ai' || hostname.endsWith('.stately.ai'))) return true;
  return (protocol === 'http:' || protocol === 'https:') && isLoopback(origin);
}

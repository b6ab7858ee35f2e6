import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../../server/config.ts';
import { isCrossOrigin, isLoopback } from '../auth/cross-origin.ts';
import { RequestError } from '../errors.ts';

/**
 * Checks that a scraper may read the metrics: with the token for metrics, if there is one; else on a port of their own, or a server that
 * only this machine reaches. Throws `RequestError`.
 */
export function checkMetricsAccess(config: Pick<Config, 'bind' | 'publicUrl' | 'metrics'>, headers: IncomingHttpHeaders): void {
  const { token, port } = config.metrics;
  if (token !== null) {
    const given = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (given === undefined || !equal(given, token))
      throw new RequestError('unauthorized', 'metrics need Authorization: Bearer <JAMJET_METRICS_TOKEN>', {
        headers: { 'www-authenticate': 'Bearer' },
      });
    return;
  }
  if (port !== null) return;
  if (!isLoopback(config.bind))
    throw new RequestError(
      'forbidden',
      'metrics are not open on an address that other machines reach: set JAMJET_METRICS_TOKEN or JAMJET_METRICS_PORT',
    );
  if (isCrossOrigin(headers, config)) throw new RequestError('forbidden', 'metrics are not open to requests of other sites');
}

/** In a time that does not depend on the texts. */
function equal(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

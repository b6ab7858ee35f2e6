import type { IncomingHttpHeaders } from 'node:http';
import { RuntimeError } from '../../runtime/errors.ts';

/** The header `Idempotency-Key`, else `fallback`. Throws `RuntimeError` `bad_request` for an invalid key. */
export function idempotencyKey(headers: IncomingHttpHeaders, fallback?: string | null): string | null {
  const header = headers['idempotency-key'];
  const key = header ?? fallback;
  if (key === undefined || key === null || (key === '' && header === undefined)) return null;
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key))
    throw new RuntimeError('bad_request', 'Idempotency-Key must be 1 to 255 printable ASCII characters');
  if (/^(a2a|cron):/.test(key))
    throw new RuntimeError('bad_request', 'Idempotency-Key must not begin with a2a: or cron:, which are reserved for the server');
  return key;
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { didYouMean } from '../../../machines/suggest.ts';
import { truncated } from '../../runtime/errors.ts';
import type { EventReceipt } from '../../runtime/types/executions.ts';
import type { Warning } from '../schemas/warnings.ts';
import { warn, warnOfIgnored } from './warnings.ts';

/** Keys that a warning lists when none is similar. */
const MAX_LISTED_KEYS = 12;

/** Warns of what an event with the correlation key had no effect by. */
export function warnOfEvent(request: FastifyRequest, reply: FastifyReply, correlationKey: string, receipt: EventReceipt): void {
  const { ignored, payloadProblem, keys } = receipt;
  warnOfIgnored(request, reply, 'payload', ignored);
  if (payloadProblem !== undefined) warn(request, reply, { code: 'invalid_payload', message: payloadProblem, path: 'payload' });
  if (keys !== undefined) warn(request, reply, unexpectedKey(correlationKey, keys));
}

function unexpectedKey(key: string, keys: readonly string[]): Warning {
  const known = keys.length > MAX_LISTED_KEYS ? [...keys.slice(0, MAX_LISTED_KEYS), '…'] : keys;
  const hint =
    didYouMean(key, keys) ??
    (keys.length === 0 ? 'the workflow waits for no events' : `the workflow waits for ${known.map(truncated).join(', ')}`);
  return {
    code: 'nobody_waits',
    message: `no node waits for ${JSON.stringify(truncated(key))}; ${hint}`,
    path: 'correlation_key',
  };
}

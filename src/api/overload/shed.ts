import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { RuntimeError } from '../../runtime/errors.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import type { LoadShedder } from './load-shedder.ts';

/** One for all refusals: making a stack for each would cost more than the rest of a refusal. */
export const REFUSAL = new RuntimeError('overloaded', 'requests wait too long already', { retryAfterMs: 1_000 });

/** One line when requests begin to be refused, and one when that is over: the refusals are too many for a line each. */
export function logShedding(
  log: Pick<FastifyBaseLogger, 'warn' | 'info'> | undefined,
  { isShedding, refused }: { readonly isShedding: boolean; readonly refused: number },
): void {
  if (isShedding) log?.warn('overloaded: requests that add work are refused while others wait too long');
  else log?.info({ refused }, 'no longer overloaded');
}

/**
 * Admits the request, and counts it until it is answered or its client has gone. Throws `overloaded` before the body is read.
 */
export function shed(shedder: LoadShedder, tenantId: string, request: FastifyRequest, reply: FastifyReply): void {
  if (!shedder.admit(tenantId)) {
    request.isShed = true;
    throw REFUSAL;
  }
  let isReleased = false;
  reply.raw.once('close', () => release(null));
  request.onAnswered = () => release(reply.statusCode < 400 ? reply.elapsedTime : null);
  function release(tookMs: number | null): void {
    if (isReleased) return;
    isReleased = true;
    shedder.release(tenantId, tookMs);
  }
}

/** Fewer messages are committed together as fast as one. Attempts of slow tools wait as well, but then few messages do. */
const BUSY_MESSAGES = 64;

/** How long in-process work has waited, if it waits because the server is busy and not because its tools are slow. */
export function backlogMs(
  { pendingMessages, inProcess }: Pick<ServerRuntime, 'pendingMessages' | 'inProcess'>,
  tenantId: string | null,
  nowMs: number,
): number {
  if (pendingMessages < BUSY_MESSAGES) return 0;
  const { oldestWaitingSinceMs } = inProcess(tenantId ?? undefined);
  return oldestWaitingSinceMs === null ? 0 : nowMs - oldestWaitingSinceMs;
}

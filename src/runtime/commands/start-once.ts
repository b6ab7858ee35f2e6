import type { Json } from '../../../machines/json.ts';
import { actorOf } from '../actor.ts';
import type { ExecutionStart } from '../engine/envelope.ts';
import { RuntimeError } from '../errors.ts';
import type { Caller } from '../types/caller.ts';
import { type CommandContext, withinQuotas } from './command.ts';
import { type IdempotentRequest, responseRow, storedResponse } from './idempotency.ts';

/** A start: done, or the response to an earlier request with the same idempotency key that was committed first; then nothing is started. */
export type StartOutcome = { readonly earlier: Json } | { readonly ignored: readonly string[] };

/** Starts an execution within the tenant's quotas. */
export async function startOnce(
  context: Pick<CommandContext, 'engine' | 'quotas' | 'store'>,
  caller: Caller,
  start: ExecutionStart,
  request: IdempotentRequest | null,
  response: Json,
): Promise<StartOutcome> {
  const { engine, store } = context;
  const outcome = await withinQuotas(context, caller.tenantId, start.id, () =>
    engine.startExecution(start, {
      actor: actorOf(caller),
      ...(request === null ? {} : { idempotencyRow: () => responseRow(request, response, start.identity.createdAtMs) }),
    }),
  );
  if (!('refused' in outcome)) return { ignored: outcome.ignored };
  const earlier = outcome.refused === 'idempotency' ? await storedResponse(store, request) : null;
  if (earlier !== null) return { earlier };
  throw new RuntimeError('conflict', `execution ${start.id} could not be started: ${outcome.refused}`);
}

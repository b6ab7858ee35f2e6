import type { Json } from '../../../machines/json.ts';
import { actorOf } from '../actor.ts';
import type { ExecutionStart } from '../engine/envelope.ts';
import { RuntimeError } from '../errors.ts';
import type { Caller } from '../types/caller.ts';
import { type CommandContext, withinQuotas } from './command.ts';
import { type IdempotentRequest, responseRow } from './idempotency.ts';

/** An execution has the key that another one should have. */
export class KeyTaken extends Error {}

/** Starts an execution within the tenant's quotas. Rejects with `conflict`, too, if the idempotency key was used before, and with `KeyTaken`. */
export async function startOnce(
  context: Pick<CommandContext, 'engine' | 'quotas'>,
  caller: Caller,
  start: ExecutionStart,
  request: IdempotentRequest | null,
  response: Json,
): Promise<{ readonly ignored: readonly string[] }> {
  const { engine } = context;
  const outcome = await withinQuotas(context, caller.tenantId, start.id, () =>
    engine.startExecution(start, {
      actor: actorOf(caller),
      ...(request === null ? {} : { idempotencyRow: () => responseRow(request, start.id, response, start.identity.createdAtMs) }),
    }),
  );
  if (!('refused' in outcome)) return { ignored: outcome.ignored };
  if (outcome.refused === 'key') throw new KeyTaken(`another execution has the key of execution ${start.id}`);
  throw new RuntimeError('conflict', `execution ${start.id} could not be started: ${outcome.refused}`);
}

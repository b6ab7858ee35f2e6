import { RuntimeError } from '../../runtime/errors.ts';
import { UPDATES } from '../operations/updates.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId } from '../requests/ids.ts';
import { defined } from '../schemas/fields.ts';
import { implement } from './implement.ts';

const DEFAULT_WAIT_MS = 5_000;

export const updateRoutes = implement(UPDATES, {
  'POST /executions/:id/updates/:name': async (
    { params, query, body, caller, tenantId, request, reply },
    { runtime, polls, nowMs },
  ) => {
    const { name } = params;
    const { waitMs = DEFAULT_WAIT_MS } = query;
    const untilMs = nowMs() + waitMs;
    const update = { name, input: body.input ?? null, ...defined('idempotencyKey', idempotencyKey(request.headers)) };
    const {
      executionId: id,
      sequence,
      outcome,
    } = await polls.run(reply, async (signal) => {
      const receipt = await runtime.sendUpdate(caller, executionId(params.id), update, waitMs, signal);
      const leftMs = Math.max(0, untilMs - nowMs());
      const outcome = await runtime.updateOutcome(tenantId, receipt.executionId, receipt.sequence, leftMs, signal);
      return Object.assign({ outcome }, receipt);
    });
    if (outcome.status === 'failed') throw new RuntimeError('update_failed', outcome.error);
    if (outcome.status === 'accepted') void reply.code(202);
    return { executionId: id, name, sequence, ...outcome };
  },
});

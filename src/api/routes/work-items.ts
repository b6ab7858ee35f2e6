import { toStorableText } from '../../../machines/unicode.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { CancelSignal } from '../../runtime/types/cancel-signal.ts';
import type { Usage, WorkJournal } from '../../runtime/types/work.ts';
import type { Identity } from '../auth/identity.ts';
import { errorReply, RequestError } from '../errors.ts';
import { type Decoded, present, Verbatim } from '../operations/codec.ts';
import { type CompleteWork, type FailWork, type LostLease, WORK_ITEMS } from '../operations/work-items.ts';
import { executionId, workItemId } from '../requests/ids.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { implement } from './implement.ts';

const DEFAULT_QUEUE = 'general';

export const workItemRoutes = implement(WORK_ITEMS, {
  'POST /work-items': async ({ body, caller }, { runtime }) => {
    const { nodeId, queueType, payload = null } = body;
    const item = { executionId: executionId(body.executionId), nodeId, queueType: queueType ?? DEFAULT_QUEUE, payload };
    return runtime.enqueue(caller, item);
  },

  'POST /work-items/claim': async ({ body, identity, caller, reply }, { runtime, polls }) => {
    const { workerId, queueTypes, tools = null, maxItems, waitMs } = body;
    requireQueues(identity, queueTypes);
    const claim = { workerId, queueTypes, ...present({ tools }), maxItems: maxItems ?? 1, waitMs: waitMs ?? 0 };
    const claimed = await polls.run(reply, (signal) => runtime.claim(caller, { signal, ...claim }));
    const workItems = claimed.map(({ journal, ...item }) =>
      journal === undefined ? item : { journal: shownJournal(journal), ...item },
    );
    const [workItem] = workItems;
    return workItem === undefined ? { claimed: false } : { claimed: true, workItem, workItems };
  },

  'POST /work-items/:id/operations': async ({ params, body, caller, request, reply }, { runtime, polls }) => {
    const id = workItemId(params.id);
    const { leaseFence, workerId, operations, known, parkedAfter = null, waitMs = null } = body;
    const given = {
      leaseFence,
      known,
      operations: operations ?? [],
      ...present({ workerId: workerId || null, parkedAfter, waitMs }),
    };
    let journal: WorkJournal | null = null;
    const commit = (signal?: CancelSignal): Promise<void> =>
      runtime.commitOperations(caller, id, signal === undefined ? given : { signal, ...given }).then((committed) => {
        journal = committed;
      });
    const lost = await lostLease((waitMs ?? 0) > 0 ? polls.run(reply, commit) : commit(), request.id);
    if (journal !== null) return { acknowledged: true as const, workItemId: id, journal: shownJournal(journal) };
    void reply.code(409);
    return new Verbatim({ acknowledged: false, ...lost });
  },

  'POST /work-items/:id/complete': async ({ params, body, caller, request, reply }, { runtime }) => {
    const id = workItemId(params.id);
    const { output, durationMs, statePatch, leaseFence = null } = body;
    const result = {
      output,
      durationMs: durationMs ?? 0,
      usage: usageOf(body),
      ...(statePatch === undefined ? {} : { statePatch }),
      ...present({
        leaseFence,
        executionId: body.executionId ? executionId(body.executionId) : null,
        nodeId: body.nodeId || null,
        workerId: body.workerId || null,
      }),
    };
    const completed = runtime.complete(caller, id, result).then(({ ignored }) => {
      warnOfIgnored(request, reply, statePatch === undefined ? 'output' : 'state_patch', ignored);
    });
    const lost = await lostLease(completed, request.id);
    if (lost === null) return { completed: true as const, workItemId: id };
    void reply.code(409);
    return new Verbatim({ completed: false, ...lost });
  },

  'POST /work-items/:id/fail': async ({ params, body, caller, request, reply }, { runtime }) => {
    const id = workItemId(params.id);
    const { error, retryable, errorClass = null, httpStatus = null, leaseFence = null } = body;
    const { errorName: error_name, stack, cause, errors, interrupted } = body;
    const failure = {
      error,
      retryable: retryable ?? true,
      usage: usageOf(body),
      details: { error_name, stack, cause, errors },
      ...present({ errorClass, httpStatus, isInterrupted: interrupted ?? null, leaseFence, workerId: body.workerId || null }),
    };
    const lost = await lostLease(runtime.fail(caller, id, failure), request.id);
    if (lost === null) return { failed: true as const, workItemId: id };
    void reply.code(409);
    return new Verbatim({ failed: false, ...lost });
  },

  'POST /work-items/:id/heartbeat': async ({ params, body, caller, request, reply }, { runtime }) => {
    const id = workItemId(params.id);
    const { workerId, leaseFence, progress } = body;
    const shown = progress && { fraction: progress.fraction ?? null, text: storable(progress.text) };
    const lease = { workerId, leaseFence: leaseFence ?? 0, ...(shown && { progress: shown }) };
    let leaseExpiresAtMs = 0;
    const renewal = runtime.heartbeat(caller, id, lease).then((renewed) => {
      leaseExpiresAtMs = renewed.leaseExpiresAtMs;
    });
    const lost = await lostLease(renewal, request.id);
    if (lost === null) return { renewed: true as const, workItemId: id, leaseExpiresAtMs };
    void reply.code(409);
    return new Verbatim({ renewed: false, ...lost });
  },
});

function shownJournal({ sequence, isPaused: paused, isParked: parked, isPartial: partial, operations, results }: WorkJournal) {
  const shown = results.map(({ isHandled: handled, ...result }) => (handled === true ? { handled, ...result } : result));
  return { sequence, paused, parked, partial, operations, results: shown };
}

/** Throws `RequestError` `forbidden` for a queue that the token does not have. */
function requireQueues({ queues }: Identity, wanted: readonly string[]): void {
  const other = queues === null ? undefined : wanted.find((queue) => !queues.includes(queue));
  if (other === undefined) return;
  throw new RequestError(
    'forbidden',
    `this token may not claim from queue "${truncated(other)}"; it may from ${queues?.join(', ')}`,
  );
}

/** The body of a 409: workers read `reason`, other clients `error`. Null if the lease was valid. */
async function lostLease(
  outcome: Promise<void>,
  requestId: string,
): Promise<Pick<LostLease, 'reason' | 'error' | 'code'> | null> {
  try {
    await outcome;
    return null;
  } catch (error) {
    if (!(error instanceof RuntimeError) || (error.code !== 'stale_fence' && error.code !== 'conflict')) throw error;
    return { reason: error.message, ...errorReply(error, requestId).body };
  }
}

function storable(text: string | null = null): string | null {
  return text === null ? null : toStorableText(text);
}

function usageOf(body: Decoded<CompleteWork | FailWork>): Usage {
  const {
    genAiSystem = null,
    genAiModel = null,
    inputTokens = null,
    outputTokens = null,
    finishReason = null,
    costUsd = null,
  } = body;
  return present({ genAiSystem, genAiModel, inputTokens, outputTokens, finishReason, costUsd });
}

import { toStorableText } from '../../../machines/unicode.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import type { HeartbeatWork, Usage, WorkItemView } from '../../runtime/types/work.ts';
import type { Identity } from '../auth/identity.ts';
import { errorReply, RequestError } from '../errors.ts';
import { executionId, workItemId } from '../requests/ids.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { defined } from '../schemas/fields.ts';
import {
  ClaimedWork,
  ClaimWork,
  CompletedWork,
  CompleteWork,
  EnqueuedWork,
  EnqueueWork,
  FailedWork,
  FailWork,
  Heartbeat,
  LostLease,
  RenewedLease,
  type WorkItem,
  WorkItemById,
} from '../schemas/work-items.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

const DEFAULT_QUEUE = 'general';

export function workItemRoutes(app: Api, { runtime, polls }: Services): void {
  app.post(
    '/work-items',
    {
      config: { access: 'write', isShed: true },
      schema: {
        summary: 'Enqueue work',
        tags: ['Work items'],
        operationId: 'enqueueWork',
        body: EnqueueWork,
        response: { 201: EnqueuedWork },
      },
    },
    async (request, reply) => {
      const { execution_id, node_id, queue_type, payload } = request.body;
      const { workItemId } = await runtime.enqueue(callerOf(request), {
        executionId: executionId(execution_id),
        nodeId: node_id,
        queueType: queue_type ?? DEFAULT_QUEUE,
        payload: payload ?? null,
      });
      void reply.code(201);
      return { work_item_id: workItemId };
    },
  );

  app.post(
    '/work-items/claim',
    {
      config: { access: 'work' },
      schema: {
        summary: 'Claim work items',
        description:
          'Takes the oldest items of the queues and leases them for 30 seconds. With `wait_ms`, waits for the first item.',
        tags: ['Work items'],
        operationId: 'claimWork',
        body: ClaimWork,
        response: { 200: ClaimedWork },
      },
    },
    async (request, reply) => {
      const { worker_id, queue_types, tools, max_items, wait_ms } = request.body;
      requireQueues(identityOf(request), queue_types);
      const items = await polls.run(reply, (signal) =>
        runtime.claim(callerOf(request), {
          workerId: worker_id,
          queueTypes: queue_types,
          ...defined('tools', tools),
          maxItems: max_items ?? 1,
          waitMs: wait_ms ?? 0,
          signal,
        }),
      );
      const [first, ...others] = items.map(toWorkItem);
      return first === undefined ? { claimed: false } : { claimed: true, work_item: first, work_items: [first, ...others] };
    },
  );

  app.post(
    '/work-items/:id/complete',
    {
      config: { access: 'work' },
      schema: {
        summary: 'Complete a work item',
        tags: ['Work items'],
        operationId: 'completeWork',
        params: WorkItemById,
        body: CompleteWork,
        response: { 200: CompletedWork, 409: LostLease },
      },
    },
    async (request, reply) => {
      const id = workItemId(request.params.id);
      const { output, state_patch, execution_id, node_id, duration_ms, lease_fence, worker_id } = request.body;
      const result = {
        output,
        durationMs: duration_ms ?? 0,
        usage: usageOf(request.body),
        ...(state_patch === undefined ? {} : { statePatch: state_patch }),
        ...defined('leaseFence', lease_fence),
        ...defined('executionId', execution_id ? executionId(execution_id) : null),
        ...defined('nodeId', node_id || null),
        ...defined('workerId', worker_id || null),
      };
      const completed = runtime.complete(callerOf(request), id, result).then(({ ignored }) => {
        warnOfIgnored(request, reply, state_patch === undefined ? 'output' : 'state_patch', ignored);
      });
      const lost = await lostLease(completed, request.id);
      return lost === null ? { completed: true as const, work_item_id: id } : reply.code(409).send({ completed: false, ...lost });
    },
  );

  app.post(
    '/work-items/:id/fail',
    {
      config: { access: 'work' },
      schema: {
        summary: 'Fail a work item',
        description: 'The attempt is retried by the policy of the node unless `retryable` is false.',
        tags: ['Work items'],
        operationId: 'failWork',
        params: WorkItemById,
        body: FailWork,
        response: { 200: FailedWork, 409: LostLease },
      },
    },
    async (request, reply) => {
      const id = workItemId(request.params.id);
      const { error, retryable, error_class, http_status, lease_fence, worker_id } = request.body;
      const { error_name, stack, cause, errors } = request.body;
      const failure = {
        error,
        retryable: retryable ?? true,
        usage: usageOf(request.body),
        details: { error_name, stack, cause, errors },
        ...defined('errorClass', error_class),
        ...defined('httpStatus', http_status),
        ...defined('leaseFence', lease_fence),
        ...defined('workerId', worker_id || null),
      };
      const lost = await lostLease(runtime.fail(callerOf(request), id, failure), request.id);
      return lost === null ? { failed: true as const, work_item_id: id } : reply.code(409).send({ failed: false, ...lost });
    },
  );

  app.post(
    '/work-items/:id/heartbeat',
    {
      config: { access: 'work' },
      schema: {
        summary: 'Renew the lease of a work item',
        tags: ['Work items'],
        operationId: 'renewWork',
        params: WorkItemById,
        body: Heartbeat,
        response: { 200: RenewedLease, 409: LostLease },
      },
    },
    async (request, reply) => {
      const id = workItemId(request.params.id);
      const { worker_id, lease_fence, progress } = request.body;
      const lease = {
        workerId: worker_id,
        leaseFence: lease_fence ?? 0,
        ...(progress == null ? {} : { progress: progressOf(progress) }),
      };
      let leaseExpiresAtMs = 0;
      const renewal = runtime.heartbeat(callerOf(request), id, lease).then((renewed) => {
        leaseExpiresAtMs = renewed.leaseExpiresAtMs;
      });
      const lost = await lostLease(renewal, request.id);
      return lost === null
        ? { renewed: true as const, work_item_id: id, lease_expires_at: timestamp(leaseExpiresAtMs) }
        : reply.code(409).send({ renewed: false, ...lost });
    },
  );
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

function progressOf({ fraction = null, text = null }: NonNullable<Heartbeat['progress']>): Required<HeartbeatWork>['progress'] {
  return { fraction, text: text === null ? null : toStorableText(text) };
}

function usageOf(body: CompleteWork | FailWork): Usage {
  return {
    ...defined('genAiSystem', body.gen_ai_system),
    ...defined('genAiModel', body.gen_ai_model),
    ...defined('inputTokens', body.input_tokens),
    ...defined('outputTokens', body.output_tokens),
    ...defined('finishReason', body.finish_reason),
    ...defined('costUsd', body.cost_usd),
  };
}

function toWorkItem(item: WorkItemView): WorkItem {
  return {
    id: item.id,
    tenant_id: item.tenantId,
    execution_id: item.executionId,
    workflow_id: item.workflowId,
    workflow_version: item.workflowVersion,
    node_id: item.nodeId,
    queue_type: item.queueType,
    tool: item.tool,
    payload: item.payload,
    activation: item.activation,
    attempt: item.attempt,
    idempotency_key: item.idempotencyKey,
    started_by: { actor_id: item.startedBy.actorId, actor_type: item.startedBy.actorType },
    labels: { ...item.labels },
    max_attempts: item.maxAttempts,
    lease_fence: item.leaseFence,
    lease_expires_at: timestamp(item.leaseExpiresAtMs),
    deadline_at: item.deadlineAtMs === null ? null : timestamp(item.deadlineAtMs),
    ...defined('traceparent', item.traceparent),
  };
}

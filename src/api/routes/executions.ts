import { RuntimeError } from '../../runtime/errors.ts';
import type { ExecutionSummary, ExecutionView } from '../../runtime/types/executions.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import { isSdkRequest } from '../compat/sdk-paths.ts';
import { toForkedFrom } from '../replies/fork-views.ts';
import { sendList } from '../replies/json-list.ts';
import { cursorOf, fromCursor } from '../requests/cursor.ts';
import { toFilter } from '../requests/execution-filter.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId } from '../requests/ids.ts';
import {
  CancelExecution,
  CancelledExecution,
  EXECUTIONS_PAGE,
  Execution,
  ExecutionById,
  type ExecutionItem,
  ExecutionList,
  ExecutionQuery,
  ExecutionsQuery,
  StartExecution,
  StartedExecution,
} from '../schemas/executions.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

export function executionRoutes(app: Api, { runtime, polls }: Services): void {
  app.post(
    '/executions',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Start an execution',
        description: 'Starts the version registered last unless `workflow_version` names another.',
        tags: ['Executions'],
        operationId: 'startExecution',
        body: StartExecution,
        response: { 201: StartedExecution },
      },
    },
    async (request, reply) => {
      const { workflow_id, workflow_version, input, labels, subject_token } = request.body;
      const { executionId, replayed } = await runtime.start(callerOf(request), {
        workflowId: workflow_id,
        input: input ?? {},
        ...defined('version', workflow_version || null),
        ...defined('labels', labels),
        ...defined('subjectToken', subject_token),
        ...defined('idempotencyKey', idempotencyKey(request.headers)),
      });
      if (replayed) void reply.header('idempotency-replayed', 'true');
      void reply.code(201);
      return { execution_id: executionId };
    },
  );

  app.get(
    '/executions',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List executions, newest first',
        description:
          'Without states unless `include=state` is given. Pass `next_cursor` as `cursor` to get the next page; executions started meanwhile do not shift it.',
        tags: ['Executions'],
        operationId: 'listExecutions',
        querystring: ExecutionsQuery,
        response: { 200: ExecutionList },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { include, cursor, offset } = request.query;
      if (cursor !== undefined && offset !== undefined)
        throw new RuntimeError('bad_request', 'cursor and offset cannot be given together');
      const page = { limit: limitOf(request.query.limit, EXECUTIONS_PAGE), offset: offset ?? 0 };
      const { executions, next } = await runtime.executions(tenantId, {
        ...page,
        ...toFilter(request.query),
        ...defined('after', cursor === undefined ? null : fromCursor('exec', cursor)),
      });
      const write = isSdkRequest(request) ? toSdkItem : include === 'state' ? withState : null;
      const items = write === null ? toItems(executions) : toItemsWithState(runtime, executions, write);
      return sendList(reply, 'executions', items, { ...page, next_cursor: next === null ? null : cursorOf(next) });
    },
  );

  app.get(
    '/executions/:id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get an execution',
        description: 'With `wait_ms`, waits until the execution has ended or is paused, at most that long.',
        tags: ['Executions'],
        operationId: 'getExecution',
        params: ExecutionById,
        querystring: ExecutionQuery,
        response: { 200: Execution },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const waitMs = request.query.wait_ms ?? 0;
      if (waitMs === 0) return toExecution(await runtime.execution(tenantId, id));
      return toExecution(await polls.run(reply, (signal) => runtime.settled(tenantId, id, waitMs, signal)));
    },
  );

  app.post(
    '/executions/:id/cancel',
    {
      config: { access: 'write', reducesLoad: () => true },
      schema: {
        summary: 'Cancel an execution',
        description:
          'Stops its active nodes and cancels its child executions. Finalizers of its workflow that always run do so first; until they have ended it stays `running`, and a second cancel gives them up.',
        tags: ['Executions'],
        operationId: 'cancelExecution',
        params: ExecutionById,
        body: CancelExecution,
        response: { 200: CancelledExecution },
      },
      preValidation: async (request) => {
        request.body ??= {};
      },
    },
    async (request) => {
      const id = executionId(request.params.id);
      await runtime.cancel(callerOf(request), id, request.body.reason ?? undefined);
      return { execution_id: id, status: 'cancelled' as const };
    },
  );
}

function itemOf(view: ExecutionSummary): ExecutionItem {
  const created = timestamp(view.createdAtMs);
  return {
    execution_id: view.executionId,
    id: view.executionId,
    tenant_id: view.tenantId,
    workflow_id: view.workflowId,
    workflow_version: view.workflowVersion,
    revision: view.revision,
    status: view.status,
    labels: view.labels,
    steps_executed: view.stepsExecuted,
    sequence: view.sequence,
    segment_number: view.segment,
    ...defined('previous_execution_id', view.previousExecutionId),
    created_at: created,
    started_at: created,
    updated_at: timestamp(view.updatedAtMs),
    completed_at: timeOrNull(view.completedAtMs),
    ...defined('parent_execution_id', view.parentExecutionId),
    ...defined('forked_from', view.forkedFrom === null ? null : toForkedFrom(view.forkedFrom)),
    ...defined('error', view.error),
    ...defined('detail', view.error),
  };
}

/** Contains the names of all references, so that every client finds those it knows. */
function toExecution(view: ExecutionView): Execution {
  const { state, input } = view;
  return {
    ...itemOf(view),
    state,
    current_state: state,
    input,
    initial_input: input,
    ...(view.suspended === null ? {} : { held: true as const }),
    ...defined('held_reason', view.suspended?.reason),
    ...defined('next_execution_id', view.nextExecutionId),
    ...(view.status === 'completed' ? { output: state } : {}),
  };
}

async function* toItems(summaries: readonly ExecutionSummary[]): AsyncGenerator<ExecutionItem> {
  for (const summary of summaries) yield itemOf(summary);
}

/** Loads one state at a time, so that a page of large states needs the memory of one. */
async function* toItemsWithState(
  runtime: ServerRuntime,
  summaries: readonly ExecutionSummary[],
  write: (view: ExecutionView) => ExecutionItem,
): AsyncGenerator<ExecutionItem> {
  for (const { tenantId, executionId } of summaries) yield write(await runtime.execution(tenantId, executionId));
}

function withState(view: ExecutionView): ExecutionItem {
  return { ...itemOf(view), state: view.state };
}

function toSdkItem(view: ExecutionView): ExecutionItem {
  return { ...itemOf(view), current_state: view.state, initial_input: view.input };
}

import { RuntimeError } from '../../runtime/errors.ts';
import type { ExecutionSummary, ExecutionView } from '../../runtime/types/executions.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import { isSdkRequest } from '../compat/sdk-paths.ts';
import {
  CancelExecution,
  CancelledExecution,
  ERROR_GROUPS_PAGE,
  ErrorGroups,
  EXECUTIONS_PAGE,
  Execution,
  ExecutionById,
  ExecutionConditions,
  ExecutionCounts,
  ExecutionErrorsQuery,
  type ExecutionItem,
  ExecutionList,
  ExecutionQuery,
  ExecutionsQuery,
  STATUSES,
  StartExecution,
  StartedExecution,
} from '../operations/executions.ts';
import { toErrorGroup } from '../replies/error-group.ts';
import { itemOf, toExecution, toSdkItem, withState } from '../replies/execution-views.ts';
import { sendList } from '../replies/json-list.ts';
import { cursorOf, fromCursor } from '../requests/cursor.ts';
import { toFilter } from '../requests/execution-filter.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId, idPart } from '../requests/ids.ts';
import { traceparent } from '../requests/traceparent.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';

export function executionRoutes(app: Api, { runtime, polls }: Services): void {
  app.post(
    '/executions',
    {
      config: { access: 'write', isShed: true },
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
      const { executionId, replayed, ignored } = await runtime.start(callerOf(request), {
        workflowId: workflow_id,
        input: input ?? {},
        ...defined('version', workflow_version || null),
        ...defined('labels', labels),
        ...defined('subjectToken', subject_token),
        ...defined('idempotencyKey', idempotencyKey(request.headers)),
        ...defined('traceparent', traceparent(request.headers)),
      });
      if (replayed) void reply.header('idempotency-replayed', 'true');
      warnOfIgnored(request, reply, 'input', ignored);
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
      const { include, cursor, offset, id: part } = request.query;
      const page = { limit: limitOf(request.query.limit, EXECUTIONS_PAGE), offset: offset ?? 0 };
      const after = defined('after', cursor === undefined ? null : fromCursor('exec', cursor));
      const filter = toFilter(request.query);
      if (part !== undefined && (offset !== undefined || Object.keys(filter).length > 0))
        throw new RuntimeError('bad_request', 'id can be combined with limit, cursor and include only');
      if (filter.error !== undefined && page.offset > 0)
        throw new RuntimeError('bad_request', 'offset cannot be combined with error: continue with next_cursor');
      const { executions, next } =
        part === undefined
          ? await runtime.executions(tenantId, { ...page, ...filter, ...after })
          : await runtime.searchIds(tenantId, { part: idPart(part), limit: page.limit, ...after });
      const write = isSdkRequest(request) ? toSdkItem : include === 'state' ? withState : null;
      const items = write === null ? toItems(executions) : toItemsWithState(runtime, executions, write);
      return sendList(reply, 'executions', items, { ...page, next_cursor: next === null ? null : cursorOf(next) });
    },
  );

  app.get(
    '/executions/counts',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Count executions by their status',
        description:
          'Exact: every execution that matches counts once, with the status it has when it is counted. A million take about a fifth of a second. With `error`, the newest 10,000 that the other conditions select are looked at; `more` says whether there are others.',
        tags: ['Executions'],
        operationId: 'countExecutions',
        querystring: ExecutionConditions,
        response: { 200: ExecutionCounts },
      },
    },
    async (request) => {
      const { byStatus, total, examined, more } = await runtime.executionCounts(
        identityOf(request).tenantId,
        toFilter(request.query),
      );
      const counts = Object.fromEntries(STATUSES.map((status) => [status, byStatus.get(status) ?? 0]));
      return { counts: counts as ExecutionCounts['counts'], total, examined, more };
    },
  );

  app.get(
    '/executions/errors',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Group executions by their error',
        description:
          'Errors that differ in numbers, ids and quoted texts alone are one group. Without `status`, failed executions. Looks at the newest 10,000 that match; `more` says whether there are others.',
        tags: ['Executions'],
        operationId: 'listExecutionErrors',
        querystring: ExecutionErrorsQuery,
        response: { 200: ErrorGroups },
      },
    },
    async (request) => {
      const filter = toFilter({ ...request.query, status: request.query.status ?? 'failed' });
      const { groups, examined, more } = await runtime.errorGroups(identityOf(request).tenantId, filter);
      const shown = groups.slice(0, limitOf(request.query.limit, ERROR_GROUPS_PAGE));
      return {
        groups: shown.map(toErrorGroup),
        total_groups: groups.length,
        examined,
        more,
      };
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

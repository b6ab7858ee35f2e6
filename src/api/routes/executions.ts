import { RuntimeError } from '../../runtime/errors.ts';
import type { ExecutionSummary, ExecutionView } from '../../runtime/types/executions.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import { isSdkRequest } from '../compat/sdk-paths.ts';
import { Verbatim } from '../operations/codec.ts';
import { ERROR_GROUPS_PAGE, EXECUTIONS, EXECUTIONS_PAGE, STATUSES } from '../operations/executions.ts';
import { errorGroupOf } from '../replies/error-group.ts';
import { type ExecutionInReply, inReply, itemOf, sdkItemOf, withState } from '../replies/execution-views.ts';
import { cursorOf, fromCursor } from '../requests/cursor.ts';
import { toFilter } from '../requests/execution-filter.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId, idPart } from '../requests/ids.ts';
import { delayOf, timeOf } from '../requests/time-parameter.ts';
import { traceparent } from '../requests/traceparent.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { implement } from './implement.ts';

export const executionRoutes = implement(EXECUTIONS, {
  'POST /executions': async ({ body, caller, request, reply }, { runtime }) => {
    const { workflowId, workflowVersion, input, labels, thread, key, ifRunning, startAt, delay, subjectToken } = body;
    const { executionId, replayed, alreadyRunning, ignored } = await runtime.start(caller, {
      workflowId,
      input: input ?? {},
      ...defined('version', workflowVersion || null),
      ...defined('labels', labels),
      ...defined('thread', thread),
      ...defined('key', key),
      ...defined('ifRunning', ifRunning),
      ...defined('startAtMs', timeOf('start_at', startAt)),
      ...defined('delayMs', delayOf(delay)),
      ...defined('subjectToken', subjectToken),
      ...defined('idempotencyKey', idempotencyKey(request.headers)),
      ...defined('traceparent', traceparent(request.headers)),
    });
    if (replayed) void reply.header('idempotency-replayed', 'true');
    if (alreadyRunning) void reply.code(200);
    warnOfIgnored(request, reply, 'input', ignored);
    return { executionId, ...defined('alreadyRunning', alreadyRunning) };
  },

  'GET /executions': async ({ query, tenantId, request }, { runtime }) => {
    const { include, cursor, offset, id: part } = query;
    const page = { limit: limitOf(query.limit, EXECUTIONS_PAGE), offset: offset ?? 0 };
    const after = defined('after', cursor === undefined ? null : fromCursor('exec', cursor));
    const filter = toFilter(query);
    if (part !== undefined && (offset !== undefined || Object.keys(filter).length > 0))
      throw new RuntimeError('bad_request', 'id can be combined with limit, cursor and include only');
    if (filter.error !== undefined && page.offset > 0)
      throw new RuntimeError('bad_request', 'offset cannot be combined with error: continue with next_cursor');
    const { executions, next } =
      part === undefined
        ? await runtime.executions(tenantId, Object.assign({}, page, filter, after))
        : await runtime.searchIds(tenantId, { part: idPart(part), limit: page.limit, ...after });
    const show = isSdkRequest(request) ? sdkItemOf : include === 'state' ? withState : null;
    return { executions: eachShown(executions, runtime, show), ...page, nextCursor: next === null ? null : cursorOf(next) };
  },

  'GET /executions/counts': async ({ query, tenantId }, { runtime }) => {
    const { byStatus, ...counted } = await runtime.executionCounts(tenantId, toFilter(query));
    const counts = Object.fromEntries(STATUSES.map((status) => [status, byStatus.get(status) ?? 0]));
    return { counts: new Verbatim(counts), ...counted };
  },

  'GET /executions/errors': async ({ query, tenantId }, { runtime }) => {
    const filter = toFilter(Object.assign({}, query, { status: query.status ?? 'failed' }));
    const { groups, examined, more } = await runtime.errorGroups(tenantId, filter);
    const shown = groups.slice(0, limitOf(query.limit, ERROR_GROUPS_PAGE)).map(errorGroupOf);
    return { groups: shown, totalGroups: groups.length, examined, more };
  },

  'GET /executions/:id': async ({ params, query: { waitMs = 0 }, tenantId, reply }, { runtime, polls }) => {
    const id = executionId(params.id);
    if (waitMs === 0) return inReply(await runtime.execution(tenantId, id));
    return inReply(await polls.run(reply, (signal) => runtime.settled(tenantId, id, waitMs, signal)));
  },

  'POST /executions/:id/cancel': async ({ params, body, caller }, { runtime }) => {
    const id = executionId(params.id);
    await runtime.cancel(caller, id, body.reason ?? undefined);
    return { executionId: id, status: 'cancelled' as const };
  },
});

/** States are loaded one at a time, so that a page of large ones needs the memory of one. */
async function* eachShown(
  executions: readonly ExecutionSummary[],
  runtime: ServerRuntime,
  withStates: ((view: ExecutionView) => ExecutionInReply) | null,
) {
  for (const summary of executions)
    yield withStates === null ? itemOf(summary) : withStates(await runtime.execution(summary.tenantId, summary.executionId));
}

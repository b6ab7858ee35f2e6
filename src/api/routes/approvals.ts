import type { ApprovalItem } from '../../runtime/types/executions.ts';
import { APPROVALS, APPROVALS_PAGE } from '../operations/approvals.ts';
import { present } from '../operations/codec.ts';
import { approvalCursorOf, fromApprovalCursor } from '../requests/cursor.ts';
import { executionId } from '../requests/ids.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { timestamp } from '../time.ts';
import { implement } from './implement.ts';

export const approvalRoutes = implement(APPROVALS, {
  'POST /executions/:id/approve': async ({ params, body, caller, request, reply }, { runtime }) => {
    const id = executionId(params.id);
    const { decision, nodeId, item, userId, comment = null, statePatch = null } = body;
    const given = present({ decision, nodeId: nodeId || null, item: item ?? null, userId: userId || null, comment, statePatch });
    const decided = await runtime.approve(caller, id, given);
    warnOfIgnored(request, reply, 'state_patch', decided.ignored);
    return { executionId: id, nodeId: decided.nodeId, accepted: true as const };
  },

  'GET /approvals': async ({ query, tenantId }, { runtime }) => {
    const { status = 'pending', workflowId, includeState: withState = true, cursor } = query;
    const limit = limitOf(query.limit, APPROVALS_PAGE);
    const { items, next } = await runtime.approvalInbox(tenantId, {
      status,
      limit,
      withState,
      ...defined('workflowId', workflowId),
      ...defined('after', cursor === undefined ? null : fromApprovalCursor(cursor)),
    });
    return { approvals: eachShown(items, withState), limit, nextCursor: next && approvalCursorOf(next) };
  },

  'GET /approvals/counts': async ({ query, tenantId }, { runtime }) => ({
    pending: await runtime.pendingApprovals(tenantId, query.workflowId),
  }),

  'GET /executions/:id/approvals': ({ params, tenantId }, { runtime }) => runtime.approvals(tenantId, executionId(params.id)),
});

async function* eachShown(items: AsyncIterable<ApprovalItem>, withState: boolean) {
  for await (const item of items)
    yield {
      waitingSince: timestamp(item.requestedAtMs),
      ...item.decision,
      ...item,
      ...(withState ? { stateForReview: item.state } : {}),
      status: item.decision?.status ?? ('pending' as const),
    };
}

import type { ApprovalItem as InboxItem } from '../../runtime/types/executions.ts';
import { sendList } from '../replies/json-list.ts';
import { approvalCursorOf, fromApprovalCursor } from '../requests/cursor.ts';
import { executionId } from '../requests/ids.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import {
  AcceptedDecision,
  APPROVALS_PAGE,
  ApprovalCounts,
  ApprovalCountsQuery,
  type ApprovalItem,
  ApprovalList,
  Approvals,
  ApprovalsQuery,
  Approve,
} from '../schemas/approvals.ts';
import { ExecutionById } from '../schemas/executions.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services, stringField } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

export function approvalRoutes(app: Api, { runtime }: Services): void {
  app.post(
    '/executions/:id/approve',
    {
      config: { access: 'write', reducesLoad: (body) => stringField(body, 'decision') === 'rejected' },
      schema: {
        summary: 'Decide a pending approval',
        description: '`node_id` may be left out if only one approval is pending; with several it is a 400.',
        tags: ['Approvals'],
        operationId: 'approveExecution',
        params: ExecutionById,
        body: Approve,
        response: { 200: AcceptedDecision },
      },
    },
    async (request, reply) => {
      const id = executionId(request.params.id);
      const { decision, node_id, user_id, comment, state_patch } = request.body;
      const { nodeId, ignored } = await runtime.approve(callerOf(request), id, {
        decision,
        ...defined('nodeId', node_id || null),
        ...defined('userId', user_id || null),
        ...defined('comment', comment),
        ...defined('statePatch', state_patch),
      });
      warnOfIgnored(request, reply, 'state_patch', ignored);
      return { execution_id: id, node_id: nodeId, accepted: true as const };
    },
  );

  app.get(
    '/approvals',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the approvals of all executions',
        description: 'Pending ones that have waited longest first; with `status=decided`, the last decisions first.',
        tags: ['Approvals'],
        operationId: 'listAllApprovals',
        querystring: ApprovalsQuery,
        response: { 200: ApprovalList },
      },
    },
    async (request, reply) => {
      const { status = 'pending', workflow_id, include_state, cursor } = request.query;
      const limit = limitOf(request.query.limit, APPROVALS_PAGE);
      const { items, next } = await runtime.approvalInbox(identityOf(request).tenantId, {
        status,
        limit,
        withState: include_state !== false,
        ...defined('workflowId', workflow_id),
        ...defined('after', cursor === undefined ? null : fromApprovalCursor(cursor)),
      });
      const next_cursor = next === null ? null : approvalCursorOf(next);
      return sendList(reply, 'approvals', toItems(items, include_state !== false), { limit, next_cursor });
    },
  );

  app.get(
    '/approvals/counts',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Count the approvals of all executions',
        description: 'How many await a decision.',
        tags: ['Approvals'],
        operationId: 'countApprovals',
        querystring: ApprovalCountsQuery,
        response: { 200: ApprovalCounts },
      },
    },
    async (request) => ({
      pending: await runtime.pendingApprovals(identityOf(request).tenantId, request.query.workflow_id),
    }),
  );

  app.get(
    '/executions/:id/approvals',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the approvals of an execution',
        tags: ['Approvals'],
        operationId: 'listApprovals',
        params: ExecutionById,
        response: { 200: Approvals },
      },
    },
    async (request) => {
      const { pending, decided } = await runtime.approvals(identityOf(request).tenantId, executionId(request.params.id));
      return {
        pending: pending.map(({ nodeId, toolName, requestedAtMs, ...approval }) => ({
          node_id: nodeId,
          tool_name: toolName,
          ...approval,
          requested_at: timestamp(requestedAtMs),
        })),
        decided: decided.map(({ nodeId, userId, actorId, onBehalfOf, decidedAtMs, ...decision }) => ({
          node_id: nodeId,
          user_id: userId,
          actor_id: actorId,
          ...decision,
          ...defined('on_behalf_of', onBehalfOf),
          decided_at: timestamp(decidedAtMs),
        })),
      };
    },
  );
}

async function* toItems(items: AsyncIterable<InboxItem>, withState: boolean): AsyncGenerator<ApprovalItem> {
  for await (const item of items) {
    const { decision } = item;
    yield {
      execution_id: item.executionId,
      workflow_id: item.workflowId,
      node_id: item.nodeId,
      activation: item.activation,
      kind: item.kind,
      tool_name: item.toolName,
      message: item.message,
      context: item.context,
      ...(withState ? { state_for_review: item.state } : {}),
      sequence: item.sequence,
      waiting_since: timestamp(item.requestedAtMs),
      expires_at: timeOrNull(item.expiresAtMs),
      status: decision?.status ?? 'pending',
      ...(decision === null
        ? {}
        : {
            user_id: decision.userId,
            actor_id: decision.actorId,
            ...defined('on_behalf_of', decision.onBehalfOf),
            comment: decision.comment,
            decided_at: timestamp(decision.decidedAtMs),
          }),
    };
  }
}

import { executionId } from '../requests/ids.ts';
import { AcceptedDecision, Approvals, Approve } from '../schemas/approvals.ts';
import { ExecutionById } from '../schemas/executions.ts';
import { defined } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services, stringField } from '../services.ts';
import { timestamp } from '../time.ts';

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
    async (request) => {
      const id = executionId(request.params.id);
      const { decision, node_id, user_id, comment, state_patch } = request.body;
      const { nodeId } = await runtime.approve(callerOf(request), id, {
        decision,
        ...defined('nodeId', node_id || null),
        ...defined('userId', user_id || null),
        ...defined('comment', comment),
        ...defined('statePatch', state_patch),
      });
      return { execution_id: id, node_id: nodeId, accepted: true as const };
    },
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

import { didYouMean } from '../../../machines/suggest.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { NodeById, NodeDetail, NodeQuery, VISITS_PAGE } from '../operations/nodes.ts';
import { readVisits } from '../replies/node-visits.ts';
import { executionId } from '../requests/ids.ts';
import { limitOf } from '../schemas/fields.ts';
import { type Api, identityOf, type Services } from '../services.ts';

/** Nodes of a small workflow, which an error names. */
const MAX_NAMED = 12;

/** The nodes of an execution. */
export function nodeRoutes(app: Api, { runtime }: Services): void {
  app.get(
    '/executions/:id/nodes/:node_id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get the visits to a node',
        description:
          'What the node was called with, gave back and used, for each visit and attempt, with the stack of each error and the edges that were followed. Made from the events of the node.',
        tags: ['Executions'],
        operationId: 'getExecutionNode',
        params: NodeById,
        querystring: NodeQuery,
        response: { 200: NodeDetail },
      },
    },
    async (request) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const { node_id } = request.params;
      const { kind, isDeferred, hasEnded, nodeIds } = await runtime.node(tenantId, id, node_id);
      if (kind === null) {
        const ids = nodeIds();
        const hint = didYouMean(node_id, ids) ?? (ids.length <= MAX_NAMED ? `its nodes: ${ids.join(', ')}` : null);
        throw new RuntimeError(
          'not_found',
          `execution ${id} has no node "${truncated(node_id)}"${hint === null ? '' : `; ${hint}`}`,
        );
      }
      const { before = Number.POSITIVE_INFINITY } = request.query;
      const page = { limit: limitOf(request.query.limit, VISITS_PAGE), before, hasEnded };
      const { visits, total } = await readVisits(runtime.events(tenantId, id, { nodeId: node_id }), node_id, page);
      const status = isDeferred ? 'held' : (visits.at(-1)?.status ?? null);
      return { execution_id: id, node_id, kind, status, visits: visits as NodeDetail['visits'], visits_total: total };
    },
  );
}

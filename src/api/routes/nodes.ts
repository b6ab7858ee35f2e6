import { didYouMean } from '../../../machines/suggest.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { Verbatim } from '../operations/codec.ts';
import { NODES, VISITS_PAGE } from '../operations/nodes.ts';
import { readVisits } from '../replies/node-visits.ts';
import { executionId } from '../requests/ids.ts';
import { limitOf } from '../schemas/fields.ts';
import { implement } from './implement.ts';

/** Nodes of a small workflow, which an error names. */
const MAX_NAMED = 12;

/** The nodes of an execution. */
export const nodeRoutes = implement(NODES, {
  'GET /executions/:id/nodes/:node_id': async ({ params: { id, nodeId }, query, tenantId }, { runtime }) => {
    const execution = executionId(id);
    const { kind, isDeferred, hasEnded, nodeIds } = await runtime.node(tenantId, execution, nodeId);
    if (kind === null) {
      const ids = nodeIds();
      const hint = didYouMean(nodeId, ids) ?? (ids.length <= MAX_NAMED ? `its nodes: ${ids.join(', ')}` : null);
      throw new RuntimeError(
        'not_found',
        `execution ${execution} has no node "${truncated(nodeId)}"${hint === null ? '' : `; ${hint}`}`,
      );
    }
    const { before = Number.POSITIVE_INFINITY } = query;
    const page = { limit: limitOf(query.limit, VISITS_PAGE), before, hasEnded };
    const { visits, total } = await readVisits(runtime.events(tenantId, execution, { nodeId }), nodeId, page);
    const status = isDeferred ? 'held' : (visits.at(-1)?.status ?? null);
    return { executionId: execution, nodeId, kind, status, visits: new Verbatim(visits), visitsTotal: total };
  },
});

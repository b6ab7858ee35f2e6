import { didYouMean } from '../../../machines/suggest.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { Verbatim } from '../operations/codec.ts';
import { MAX_ITEMS, NODES, VISITS_PAGE } from '../operations/nodes.ts';
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
    const { kind, isDeferred, isList, hasEnded, nodeIds } = await runtime.node(tenantId, execution, nodeId);
    if (kind === null) {
      const ids = nodeIds();
      const hint = didYouMean(nodeId, ids) ?? (ids.length <= MAX_NAMED ? `its nodes: ${ids.join(', ')}` : null);
      throw new RuntimeError(
        'not_found',
        `execution ${execution} has no node "${truncated(nodeId)}"${hint === null ? '' : `; ${hint}`}`,
      );
    }
    const { before = Number.POSITIVE_INFINITY } = query;
    const { item, status: wanted, afterItem = -1 } = query;
    const page = { limit: limitOf(query.limit, VISITS_PAGE), before, hasEnded, item };
    const { visits, total, items } = await readVisits(runtime.events(tenantId, execution, { nodeId }), nodeId, page);
    if (item !== undefined && item >= items.count)
      throw new RuntimeError('not_found', `node "${truncated(nodeId)}" has no item ${item}; its list has ${items.count}, from 0`);
    const status = isDeferred ? 'held' : (visits.at(-1)?.status ?? null);
    const listed = isList ? items.page({ after: afterItem, limit: MAX_ITEMS, status: wanted }) : null;
    const paged = listed === null ? {} : { items: new Verbatim(listed.items), nextItem: listed.next };
    return { executionId: execution, nodeId, kind, status, visits: new Verbatim(visits), visitsTotal: total, ...paged };
  },
});

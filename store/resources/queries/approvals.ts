import type { ApprovalPosition, ApprovalRow } from '../../port/resources/approvals.ts';
import { type Statement, sql } from '../statement.ts';

const ROW = `execution_id AS "executionId", tenant_id AS "tenantId", workflow_id AS "workflowId", seq, node_id AS "nodeId", activation, item,
  requested_at_ms AS "requestedAtMs", expires_at_ms AS "expiresAtMs", decided_at_ms AS "decidedAtMs", decided_seq AS "decidedSeq"`;

/** Along one index each: the last condition on the tenant or the workflow is a part of the range, so that no other index has that order. */
function page(status: 'pending' | 'decided', byWorkflow: boolean): Statement<ApprovalRow> {
  const [column, isNull, compare, direction] =
    status === 'pending' ? ['requested_at_ms', 'IS NULL', '>', 'ASC'] : ['decided_at_ms', 'IS NOT NULL', '<', 'DESC'];
  return sql<ApprovalRow>(({ indexedBy }) => {
    const index = indexedBy(`approvals_${status}${byWorkflow ? '_by_workflow' : ''}`);
    return `SELECT ${ROW} FROM approvals ${index} WHERE tenant_id = @tenantId${byWorkflow ? ' AND workflow_id = @workflowId' : ''}
    AND decided_at_ms ${isNull} AND (${column}, execution_id, seq) ${compare} (@atMs, @executionId, @seq)
  ORDER BY ${column} ${direction}, execution_id ${direction}, seq ${direction} LIMIT @limit`;
  });
}

export const PENDING_APPROVALS = page('pending', false);
export const PENDING_APPROVALS_OF_WORKFLOW = page('pending', true);
export const DECIDED_APPROVALS = page('decided', false);
export const DECIDED_APPROVALS_OF_WORKFLOW = page('decided', true);

/** A part of the pending approvals in order: `count`, those behind a place; `end`, the place of the last of `slice` of them. */
function slice<Row>(what: 'count' | 'end', byWorkflow: boolean): Statement<Row> {
  return sql<Row>(({ indexedBy }) => {
    const index = indexedBy(`approvals_pending${byWorkflow ? '_by_workflow' : ''}`);
    const range = `FROM approvals ${index} WHERE tenant_id = @tenantId${byWorkflow ? ' AND workflow_id = @workflowId' : ''}
    AND decided_at_ms IS NULL AND (requested_at_ms, execution_id, seq) > (@atMs, @executionId, @seq)`;
    const inOrder = `${range} ORDER BY requested_at_ms, execution_id, seq`;
    return what === 'count'
      ? `SELECT count(*) AS count FROM (SELECT seq ${inOrder} LIMIT @slice) AS behind`
      : `SELECT requested_at_ms AS "atMs", execution_id AS "executionId", seq ${inOrder} LIMIT 1 OFFSET @slice - 1`;
  });
}

type Count = { readonly count: number };
export const COUNT_PENDING = slice<Count>('count', false);
export const COUNT_PENDING_OF_WORKFLOW = slice<Count>('count', true);
export const END_OF_PENDING = slice<ApprovalPosition>('end', false);
export const END_OF_PENDING_OF_WORKFLOW = slice<ApprovalPosition>('end', true);

import { type Sql, sql } from '../connections.ts';

/** Executions: heads, checkpoints, lists. Columns are named as the port's rows name them, so that rows need no mapping. */

const EXECUTION = `id, tenant_id AS "tenantId", workflow_id AS "workflowId", workflow_version AS "workflowVersion", revision, labels,
  parent_id AS "parentId", depth, deadline_at_ms AS "deadlineAtMs", created_at_ms AS "createdAtMs", status, seq, steps, error,
  local_work AS "localWork", owner, updated_at_ms AS "updatedAtMs", completed_at_ms AS "completedAtMs", snapshot_seq AS "snapshotSeq"`;

export const EXECUTION_BY_ID = sql(`SELECT ${EXECUTION} FROM executions WHERE id = $1`);
export const TENANT_EXECUTION = sql(`SELECT ${EXECUTION} FROM executions WHERE id = $1 AND tenant_id = $2`);
export const WITH_LOCAL_WORK = sql(`SELECT ${EXECUTION} FROM executions WHERE local_work > 0 AND id > $1 ORDER BY id LIMIT $2`);
export const CHECKPOINT = sql('SELECT snapshot AS text, snapshot_seq AS seq FROM executions WHERE id = $1');
/** The executions of several ids, in no order. */
export const EXECUTIONS_BY_ID = sql(`SELECT ${EXECUTION} FROM executions WHERE id = ANY($1)`);

/** Tenant, limit, offset; then the filters there are. Newest first. */
export function listExecutions(by: { readonly status: boolean; readonly workflowId: boolean; readonly parentId: boolean }): Sql {
  let place = 3;
  const filters = [
    by.status ? ` AND status = $${++place}` : '',
    by.workflowId ? ` AND workflow_id = $${++place}` : '',
    by.parentId ? ` AND parent_id = $${++place}` : '',
  ];
  return sql(`SELECT ${EXECUTION} FROM executions WHERE tenant_id = $1${filters.join('')} ORDER BY id DESC LIMIT $2 OFFSET $3`);
}

import { sql } from '../statement.ts';

/** Keys of live executions. */

const KEY = 'tenant_id = @tenantId AND workflow_id = @workflowId AND key = @key';

export const TAKE_KEY = sql(`INSERT INTO execution_keys (tenant_id, workflow_id, key, execution_id)
  VALUES (@tenantId, @workflowId, @key, @executionId) ON CONFLICT (tenant_id, workflow_id, key) DO NOTHING`);
export const PASS_KEY = sql(`UPDATE execution_keys SET execution_id = @executionId WHERE ${KEY} AND execution_id = @from`);
export const FREE_KEY = sql(`DELETE FROM execution_keys WHERE ${KEY} AND execution_id = @executionId`);

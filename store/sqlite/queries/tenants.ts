/** Tenants: what they may, what they have, what they have used. */

const RECORD = 'id, name, status, policy, limits, created_at_ms AS createdAtMs, updated_at_ms AS updatedAtMs';

export const CREATE_TENANT = `INSERT INTO tenants (id, name, status, policy, limits, created_at_ms, updated_at_ms)
  VALUES (@id, @name, @status, @policy, @limits, @createdAtMs, @createdAtMs) ON CONFLICT (id) DO NOTHING`;
export const UPDATE_TENANT = `UPDATE tenants SET name = @name, status = @status, policy = @policy, limits = @limits,
  updated_at_ms = @updatedAtMs WHERE id = @id`;
export const TENANT_RECORD = `SELECT ${RECORD} FROM tenants WHERE id = ?`;
export const TENANT_RECORDS = `SELECT ${RECORD} FROM tenants ORDER BY id LIMIT ? OFFSET ?`;
export const INACTIVE_TENANTS = "SELECT id FROM tenants WHERE status <> 'active'";
export const TENANT_STANDING = 'SELECT status, limits FROM tenants WHERE id = ?';

/** Both sums stop where a number is no longer exact: an absurd report must not make every later commit fail. */
export const ADD_TENANT_USAGE = `INSERT INTO tenant_usage (tenant_id, month, tokens, cost_usd) VALUES (?, ?, ?, ?)
  ON CONFLICT (tenant_id, month) DO UPDATE
    SET tokens = min(tokens + excluded.tokens, 9007199254740991), cost_usd = min(cost_usd + excluded.cost_usd, 9007199254740991)`;
export const TENANT_USAGE = 'SELECT tokens, cost_usd AS costUsd FROM tenant_usage WHERE tenant_id = ? AND month = ?';

/** A page of the index of live executions, counted. */
export const COUNT_BY_STATUS = `SELECT count(*) AS count, max(id) AS last FROM
  (SELECT id FROM executions WHERE tenant_id = ? AND status = ? AND id > ? ORDER BY id LIMIT ?)`;
export const COUNT_WORKFLOWS = 'SELECT count(*) FROM (SELECT DISTINCT workflow_id FROM workflows WHERE tenant_id = ?)';

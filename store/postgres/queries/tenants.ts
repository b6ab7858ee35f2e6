import { sql } from '../connections.ts';

/** Tenants: what they may, what they have, what they have used. */

const RECORD = 'id, name, status, policy, limits, created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs"';

export const CREATE_TENANT = sql(`INSERT INTO tenants (id, name, status, policy, limits, created_at_ms, updated_at_ms)
  VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (id) DO NOTHING RETURNING id`);
export const UPDATE_TENANT = sql(`UPDATE tenants SET name = $2, status = $3, policy = $4, limits = $5,
  updated_at_ms = $6 WHERE id = $1`);
export const TENANT_RECORD = sql(`SELECT ${RECORD} FROM tenants WHERE id = $1`);
/** Nobody else changes it before the transaction is over. */
export const HOLD_TENANT = sql(`SELECT ${RECORD} FROM tenants WHERE id = $1 FOR UPDATE`);
export const TENANT_RECORDS = sql(`SELECT ${RECORD} FROM tenants ORDER BY id LIMIT $1 OFFSET $2`);
export const INACTIVE_TENANTS = sql("SELECT id FROM tenants WHERE status <> 'active'");
export const TENANT_STANDING = sql('SELECT status, limits FROM tenants WHERE id = $1');

/** Where a number is no longer exact, both sums stop: an absurd report must not make every later commit fail. */
const MOST = Number.MAX_SAFE_INTEGER;
/** A connection always adds to the same of a few rows. */
export const ADD_TENANT_USAGE = sql(`INSERT INTO tenant_usage (tenant_id, month, slot, tokens, cost_usd)
  SELECT tenant_id, month, pg_backend_pid() % 16, least(sum(tokens), ${MOST}), least(sum(cost_usd), ${MOST})
  FROM json_to_recordset($1) AS u (tenant_id text, month text, tokens bigint, cost_usd double precision)
  GROUP BY tenant_id, month ORDER BY tenant_id, month
  ON CONFLICT (tenant_id, month, slot) DO UPDATE
    SET tokens = least(tenant_usage.tokens + excluded.tokens, ${MOST}),
      cost_usd = least(tenant_usage.cost_usd + excluded.cost_usd, ${MOST})`);
export const TENANT_USAGE = sql(`SELECT least(coalesce(sum(tokens), 0), ${MOST})::bigint AS tokens,
    least(coalesce(sum(cost_usd), 0), ${MOST}) AS "costUsd"
  FROM tenant_usage WHERE tenant_id = $1 AND month = $2`);

export const COUNT_LIVE = sql(
  "SELECT count(*) AS count FROM executions WHERE tenant_id = $1 AND status IN ('running', 'paused')",
);
export const COUNT_WORKFLOWS = sql('SELECT count(DISTINCT workflow_id) AS count FROM workflows WHERE tenant_id = $1');

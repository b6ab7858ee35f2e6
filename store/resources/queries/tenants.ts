import type { TenantAdmission, TenantPolicyRow, TenantRecord, TenantUsage } from '../../port/resources/tenants.ts';
import { sql } from '../statement.ts';

/** Tenants: their policies, limits and usage. */

const RECORD = 'id, name, status, policy, limits, created_at_ms AS "createdAtMs", updated_at_ms AS "updatedAtMs"';

export const INSERT_TENANT = sql(`INSERT INTO tenants (id, name, status, policy, limits, created_at_ms, updated_at_ms)
  VALUES (@id, @name, @status, @policy, @limits, @createdAtMs, @createdAtMs) ON CONFLICT (id) DO NOTHING`);
export const UPDATE_TENANT = sql(`UPDATE tenants SET name = @name, status = @status, policy = @policy, limits = @limits,
  updated_at_ms = @updatedAtMs WHERE id = @id`);
export const TENANT_RECORD = sql<TenantRecord>(`SELECT ${RECORD} FROM tenants WHERE id = @tenantId`);
export const LOCK_TENANT = sql<TenantRecord>(
  ({ forUpdate }) => `SELECT ${RECORD} FROM tenants WHERE id = @tenantId ${forUpdate}`,
);
export const TENANT_RECORDS = sql<TenantRecord>(`SELECT ${RECORD} FROM tenants ORDER BY id LIMIT @limit OFFSET @offset`);
export const INACTIVE_TENANTS = sql<{ readonly id: string }>("SELECT id FROM tenants WHERE status <> 'active'");
export const TENANT_POLICIES = sql<TenantPolicyRow>('SELECT id, policy FROM tenants WHERE policy IS NOT NULL');
export const TENANT_ADMISSION = sql<TenantAdmission>('SELECT status, limits FROM tenants WHERE id = @tenantId');

/** PostgreSQL keeps several rows a month, so that commits of many processes do not wait for each other at a single one. */
export const TENANT_USAGE = sql<TenantUsage>(({ engine }) =>
  engine === 'sqlite'
    ? 'SELECT tokens, cost_usd AS "costUsd" FROM tenant_usage WHERE tenant_id = @tenantId AND month = @month'
    : `SELECT least(coalesce(sum(tokens), 0), ${Number.MAX_SAFE_INTEGER})::bigint AS tokens,
    least(coalesce(sum(cost_usd), 0), ${Number.MAX_SAFE_INTEGER}) AS "costUsd"
  FROM tenant_usage WHERE tenant_id = @tenantId AND month = @month`,
);

/** In one statement, so that nothing that is counted meanwhile is lost. */
export const TAKE_USAGE = sql<TenantUsage>(
  'DELETE FROM tenant_usage WHERE tenant_id = @tenantId AND month = @month RETURNING tokens, cost_usd AS "costUsd"',
);
export const ADD_USAGE = sql(({ engine }) =>
  engine === 'sqlite'
    ? `INSERT INTO tenant_usage (tenant_id, month, tokens, cost_usd) VALUES (@tenantId, @month, @tokens, @costUsd)
  ON CONFLICT (tenant_id, month) DO UPDATE
    SET tokens = min(tokens + excluded.tokens, ${Number.MAX_SAFE_INTEGER}),
      cost_usd = min(cost_usd + excluded.cost_usd, ${Number.MAX_SAFE_INTEGER})`
    : `INSERT INTO tenant_usage (tenant_id, month, slot, tokens, cost_usd) VALUES (@tenantId, @month, 0, @tokens, @costUsd)
  ON CONFLICT (tenant_id, month, slot) DO UPDATE
    SET tokens = least(tenant_usage.tokens + excluded.tokens, ${Number.MAX_SAFE_INTEGER}),
      cost_usd = least(tenant_usage.cost_usd + excluded.cost_usd, ${Number.MAX_SAFE_INTEGER})`,
);

/** The number of live executions after the given ids, by status, and the last ids counted. */
export interface LiveCount {
  readonly pending: number;
  readonly lastPending: string | null;
  readonly running: number;
  readonly lastRunning: string | null;
  readonly paused: number;
  readonly lastPaused: string | null;
}

const countOf = (status: string, after: string): string => `(SELECT count(*) AS count, max(id) AS last FROM
  (SELECT id FROM executions WHERE tenant_id = @tenantId AND status = '${status}' AND id > @${after} ORDER BY id LIMIT @limit) AS page)`;
/** A page of the index for each of the live statuses. */
export const COUNT_LIVE = sql<LiveCount>(`SELECT pending.count AS pending, pending.last AS "lastPending",
    running.count AS running, running.last AS "lastRunning", paused.count AS paused, paused.last AS "lastPaused"
  FROM ${countOf('pending', 'afterPending')} AS pending CROSS JOIN ${countOf('running', 'afterRunning')} AS running
    CROSS JOIN ${countOf('paused', 'afterPaused')} AS paused`);
export const COUNT_WORKFLOWS = sql<{ readonly count: number }>(
  'SELECT count(*) AS count FROM (SELECT DISTINCT workflow_id FROM workflows WHERE tenant_id = @tenantId) AS registered',
);

import type { Tenant, TenantDetail } from '../client.ts';
import type { Paint } from './terminal/paint.ts';
import { fields } from './terminal/table.ts';
import { plain } from './terminal/text.ts';

export function paintTenantStatus(status: string, paint: Paint): string {
  if (status === 'active') return paint.green(status);
  return status === 'suspended' ? paint.yellow(status) : paint.dim(status);
}

/** `10 workflows, 600 requests a minute`. */
export function limitsText(limits: Tenant['limits'] = {}): string {
  const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 6 });
  const part = (value: number | undefined, unit: string): string[] => (value === undefined ? [] : [`${number(value)} ${unit}`]);
  return [
    ...part(limits.max_concurrent_executions, 'live executions'),
    ...part(limits.max_workflows, 'workflows'),
    ...part(limits.max_requests_per_minute, 'requests a minute'),
    ...part(limits.max_tokens_per_month, 'tokens a month'),
    ...part(limits.max_cost_per_month_usd, 'USD a month'),
    ...part(limits.retention_days, 'days kept'),
  ].join(', ');
}

/** A tenant for people, one field a line. */
export function tenantText(tenant: Tenant | TenantDetail, paint: Paint): string {
  const usage = 'usage' in tenant ? tenant.usage : null;
  const used =
    usage === null
      ? []
      : ([
          ['executions', `${usage.live_executions} live`],
          ['workflows', String(usage.workflows)],
          ['used', `${usage.tokens} tokens, ${usage.cost_usd} USD in ${usage.month}`],
        ] as const);
  return fields(
    [
      ['tenant', plain(tenant.id)],
      ['name', plain(tenant.name)],
      ['status', paintTenantStatus(tenant.status, paint)],
      ['limits', limitsText(tenant.limits) || 'none'],
      ['policy', tenant.policy === undefined ? 'none' : plain(JSON.stringify(tenant.policy))],
      ...used,
      ['created', tenant.created_at],
      ['updated', tenant.updated_at],
    ],
    paint,
  );
}

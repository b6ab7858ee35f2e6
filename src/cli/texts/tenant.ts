import type { Tenant, TenantDetail } from '../../client/index.ts';
import type { Paint } from '../terminal/paint.ts';
import { sizeText } from '../terminal/size.ts';
import { fields } from '../terminal/table.ts';
import { plain } from '../terminal/text.ts';

export function paintTenantStatus(status: string, paint: Paint): string {
  if (status === 'active') return paint.green(status);
  return status === 'suspended' ? paint.yellow(status) : paint.dim(status);
}

/** `workflows 10, requests/min 600`. */
export function limitsText(limits: Tenant['limits'] = {}): string {
  const part = (name: string, value: number | undefined): string[] => (value === undefined ? [] : [`${name} ${number(value)}`]);
  return [
    ...part('executions', limits.max_concurrent_executions),
    ...part('workflows', limits.max_workflows),
    ...part('requests/min', limits.max_requests_per_minute),
    ...part('tokens/month', limits.max_tokens_per_month),
    ...part('USD/month', limits.max_cost_per_month_usd),
    ...(limits.max_storage_bytes === undefined ? [] : [`storage ${sizeText(limits.max_storage_bytes)}`]),
    ...part('USD/call', limits.max_cost_per_call_usd),
    ...part('tokens/call', limits.max_tokens_per_call),
    ...part('days kept', limits.retention_days),
  ].join(', ');
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 });
}

/** `1.5 MiB: logs 1.2 MiB, artifacts 300 KiB`. */
function storageText({ bytes, counting, by_kind: kinds }: NonNullable<TenantDetail['usage']['storage']>): string {
  const parts = Object.entries(kinds).filter(([, size]) => size > 0);
  const total = bytes === undefined ? 'not counted yet' : sizeText(bytes);
  const text = [total, parts.map(([kind, size]) => `${kind} ${sizeText(size)}`).join(', ')]
    .filter((part) => part !== '')
    .join(': ');
  return counting ? `${text} (being counted)` : text;
}

/** A tenant as text, one field per line. */
export function tenantText(tenant: Tenant | TenantDetail, paint: Paint): string {
  const usage = 'usage' in tenant ? tenant.usage : null;
  const used =
    usage === null
      ? []
      : ([
          ['executions', `${usage.live_executions} live`],
          ['workflows', String(usage.workflows)],
          ['used', `${number(usage.tokens)} tokens, ${number(usage.cost_usd)} USD in ${usage.month}`],
          ...(usage.storage === undefined ? [] : [['storage', storageText(usage.storage)] as const]),
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

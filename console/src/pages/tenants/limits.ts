import type { Tenant, TenantDetail } from '../../../../src/client/index.ts';

type Limits = NonNullable<Tenant['limits']>;
export type LimitName = keyof Limits;

/** The limits with their words; `used` is what counts against one, if the API says it. */
export const LIMITS: readonly {
  readonly name: LimitName;
  readonly label: string;
  readonly used: ((usage: TenantDetail['usage']) => number | undefined) | null;
}[] = [
  { name: 'max_concurrent_executions', label: 'Live executions', used: ({ live_executions }) => live_executions },
  { name: 'max_workflows', label: 'Workflows', used: ({ workflows }) => workflows },
  { name: 'max_tokens_per_month', label: 'Model tokens this month', used: ({ tokens }) => tokens },
  { name: 'max_cost_per_month_usd', label: 'Cost this month in USD', used: ({ cost_usd }) => cost_usd },
  { name: 'max_storage_bytes', label: 'Stored bytes', used: ({ storage }) => storage?.bytes },
  { name: 'max_cost_per_call_usd', label: 'Cost that a call may report in USD', used: null },
  { name: 'max_tokens_per_call', label: 'Tokens that a call may report', used: null },
  { name: 'max_requests_per_minute', label: 'Requests per minute', used: null },
  { name: 'retention_days', label: 'Days that ended executions are kept', used: null },
];

/** The limits in one line. */
export function limitText(limits: Limits | undefined): string {
  const given = LIMITS.flatMap(({ name, label }) => {
    const value = limits?.[name];
    return value === undefined ? [] : [`${label.toLowerCase().replace('usd', 'USD')}: ${value.toLocaleString()}`];
  });
  return given.length === 0 ? 'none' : given.join(' · ');
}

/** The usage in one line. */
export function usageText({ live_executions: live, tokens, cost_usd: cost }: TenantDetail['usage']): string {
  return `${live.toLocaleString()} live · ${tokens.toLocaleString()} tokens · $${cost.toLocaleString()}`;
}

import type { TenantRow } from '../rows.ts';
import type { ActionContext } from '../writes.ts';

/** A tenant with everything that is kept of it. */
export interface TenantRecord extends TenantRow {
  /** JSON object text, as it was given; null = none. */
  readonly policy: string | null;
  /** JSON object text; null = none. */
  readonly limits: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export type NewTenant = Omit<TenantRecord, 'updatedAtMs'>;

/** What is absent stays as it is. */
export type TenantChange = Partial<Pick<TenantRecord, 'name' | 'status' | 'policy' | 'limits'>>;

/** What decides whether work is taken for a tenant. */
export type TenantAdmission = Pick<TenantRecord, 'status' | 'limits'>;

/** What the nodes of a tenant's executions have reported in a calendar month. */
export interface TenantUsage {
  /** Input and output together. */
  readonly tokens: number;
  readonly costUsd: number;
}

/** All tenants. They are never removed, so that an id never names another one later. */
export interface TenantRegistry {
  /** Rejects with `tenant_exists`. */
  create(tenant: NewTenant, context: ActionContext): Promise<TenantRecord>;
  /** A change of nothing is not recorded. Rejects with `unknown_tenant`. */
  update(tenantId: string, change: TenantChange, context: ActionContext): Promise<TenantRecord>;
  find(tenantId: string): Promise<TenantRecord | null>;
  /** By id. */
  list(page: { readonly limit: number; readonly offset: number }): Promise<readonly TenantRecord[]>;
  admission(tenantId: string): Promise<TenantAdmission | null>;
  /** Ids of those that are not active, in no order. */
  inactive(): Promise<readonly string[]>;
  /** `month` like `2026-03`, in UTC. Zeros for a month in which nothing was reported. */
  usage(tenantId: string, month: string): Promise<TenantUsage>;
  /** Executions that have not ended, children included. Exact while nothing is committed meanwhile. */
  liveExecutions(tenantId: string): Promise<number>;
  /** Workflow ids, however many versions each has. */
  workflowCount(tenantId: string): Promise<number>;
}

/** What the change would change. The same for every engine, like the next. */
export function differences(before: TenantRecord, change: TenantChange): TenantChange {
  const { name, status, policy, limits } = change;
  return {
    ...(name === undefined || name === before.name ? {} : { name }),
    ...(status === undefined || status === before.status ? {} : { status }),
    ...(policy === undefined || policy === before.policy ? {} : { policy }),
    ...(limits === undefined || limits === before.limits ? {} : { limits }),
  };
}

/** What the control event of a change tells. */
export function changeData(tenantId: string, { name, status, policy, limits }: TenantChange): string {
  return JSON.stringify({ tenant_id: tenantId, name, status, policy: parsed(policy), limits: parsed(limits) });
}

function parsed(text: string | null | undefined): unknown {
  return text === null || text === undefined ? text : JSON.parse(text);
}

import type { ActionContext } from '../control.ts';

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly status: 'active' | 'suspended' | 'archived';
}

/** A tenant with all its fields. */
export interface TenantRecord extends TenantRow {
  /** JSON object text as it was given; null = none. */
  readonly policy: string | null;
  /** JSON object text; null = none. */
  readonly limits: string | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export type NewTenant = Omit<TenantRecord, 'updatedAtMs'>;

/** Absent fields stay as they are. */
export type TenantChange = Partial<Pick<TenantRecord, 'name' | 'status' | 'policy' | 'limits'>>;

/** The fields that decide whether the tenant may start work. */
export type TenantAdmission = Pick<TenantRecord, 'status' | 'limits'>;

export interface TenantPolicyRow {
  readonly id: string;
  /** JSON object text. */
  readonly policy: string;
}

/** What the nodes of a tenant's executions reported in a calendar month. */
export interface TenantUsage {
  /** Input and output together. */
  readonly tokens: number;
  readonly costUsd: number;
}

/** What an operator sets in place of what was counted. */
export interface UsageCorrection {
  /** Like `2026-03`, in UTC. */
  readonly month: string;
  /** Null = as it was counted. */
  readonly tokens: number | null;
  readonly costUsd: number | null;
  readonly reason: string;
}

/** What the runtime checks before it takes work. */
export interface TenantQuotas {
  admission(tenantId: string): Promise<TenantAdmission | null>;
  /** Ids of the tenants that are not active, in no order. */
  inactive(): Promise<readonly string[]>;
  /** The tenants that have a policy, in no order. */
  policies(): Promise<readonly TenantPolicyRow[]>;
  /** `month` like `2026-03`, in UTC. Zeros for a month without reports. */
  usage(tenantId: string, month: string): Promise<TenantUsage>;
  /** Adds what no commit has: attempts whose outcomes are not logged. */
  addUsage(tenantId: string, usage: TenantUsage & { readonly month: string }): Promise<void>;
  /** Executions that have not ended, children included. Exact while nothing is committed meanwhile. */
  liveExecutions(tenantId: string): Promise<number>;
  /** Distinct workflow ids, however many versions each has. */
  workflowCount(tenantId: string): Promise<number>;
}

/** All tenants. They are never removed, so that an id never names another tenant later. */
export interface TenantRegistry extends TenantQuotas {
  /** Rejects with `tenant_exists`. */
  create(tenant: NewTenant, context: ActionContext): Promise<TenantRecord>;
  /** A change that changes nothing is not recorded. Rejects with `unknown_tenant`. */
  update(tenantId: string, change: TenantChange, context: ActionContext): Promise<TenantRecord>;
  /** Replaces the usage of a month; what nodes report from now on is added to it. Returns both. */
  correctUsage(
    tenantId: string,
    correction: UsageCorrection,
    context: ActionContext,
  ): Promise<{ readonly before: TenantUsage; readonly after: TenantUsage }>;
  find(tenantId: string): Promise<TenantRecord | null>;
  /** By id. */
  list(page: { readonly limit: number; readonly offset: number }): Promise<readonly TenantRecord[]>;
}

/** The fields of the change that differ from the record. */
export function differences(before: TenantRecord, change: TenantChange): TenantChange {
  const { name, status, policy, limits } = change;
  return {
    ...(name === undefined || name === before.name ? {} : { name }),
    ...(status === undefined || status === before.status ? {} : { status }),
    ...(policy === undefined || policy === before.policy ? {} : { policy }),
    ...(limits === undefined || limits === before.limits ? {} : { limits }),
  };
}

/** The data of the control event of a change. */
export function changeData(tenantId: string, { name, status, policy, limits }: TenantChange): string {
  return JSON.stringify({ tenant_id: tenantId, name, status, policy: parsed(policy), limits: parsed(limits) });
}

function parsed(text: string | null | undefined): unknown {
  return text === null || text === undefined ? text : JSON.parse(text);
}

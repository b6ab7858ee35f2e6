import type { ExecutionWrite } from '../../port/commit.ts';
import type { ActionContext } from '../../port/control.ts';
import { StoreError } from '../../port/errors.ts';
import {
  changeData,
  differences,
  type NewTenant,
  type TenantAdmission,
  type TenantChange,
  type TenantRecord,
  type TenantRegistry,
  type TenantUsage,
} from '../../port/resources/tenants.ts';
import type { Connections } from '../connections.ts';
import type { ControlLog } from '../control-log.ts';
import * as sql from '../queries/tenants.ts';
import { first } from '../runtime-reads.ts';

export class Tenants implements TenantRegistry {
  readonly #connections: Connections;
  readonly #log: ControlLog;

  constructor(connections: Connections, log: ControlLog) {
    this.#connections = connections;
    this.#log = log;
  }

  async create(tenant: NewTenant, context: ActionContext): Promise<TenantRecord> {
    const { id, name, status, policy, limits, createdAtMs } = tenant;
    await this.#log.act(context, async (queries) => {
      const created = await queries.query(sql.CREATE_TENANT, [id, name, status, policy, limits, createdAtMs]);
      if (created.length === 0) throw new StoreError('tenant_exists', `tenant ${id} exists already`);
      return { type: 'tenant_created', data: changeData(id, tenant) };
    });
    return { ...tenant, updatedAtMs: createdAtMs };
  }

  async update(tenantId: string, change: TenantChange, context: ActionContext): Promise<TenantRecord> {
    let updated: TenantRecord | undefined;
    await this.#log.act(context, async (queries) => {
      const before = first(await queries.query<TenantRecord>(sql.HOLD_TENANT, [tenantId]));
      if (before === null) throw new StoreError('unknown_tenant', `tenant ${tenantId}`);
      const changed = differences(before, change);
      updated = before;
      if (Object.keys(changed).length === 0) return null;
      updated = { ...before, ...changed, updatedAtMs: context.atMs };
      const { name, status, policy, limits, updatedAtMs } = updated;
      await queries.query(sql.UPDATE_TENANT, [tenantId, name, status, policy, limits, updatedAtMs]);
      return { type: 'tenant_updated', data: changeData(tenantId, changed) };
    });
    if (updated === undefined) throw new Error(`tenant ${tenantId} was neither updated nor refused`);
    return updated;
  }

  async find(tenantId: string): Promise<TenantRecord | null> {
    return first(await this.#connections.query<TenantRecord>(sql.TENANT_RECORD, [tenantId]));
  }

  list({ limit, offset }: { readonly limit: number; readonly offset: number }): Promise<readonly TenantRecord[]> {
    return this.#connections.query<TenantRecord>(sql.TENANT_RECORDS, [limit, offset]);
  }

  async admission(tenantId: string): Promise<TenantAdmission | null> {
    return first(await this.#connections.query<TenantAdmission>(sql.TENANT_STANDING, [tenantId]));
  }

  async inactive(): Promise<readonly string[]> {
    return (await this.#connections.query<{ id: string }>(sql.INACTIVE_TENANTS)).map(({ id }) => id);
  }

  async usage(tenantId: string, month: string): Promise<TenantUsage> {
    const [usage] = await this.#connections.asTenant<TenantUsage>(tenantId, sql.TENANT_USAGE, [tenantId, month]);
    return usage ?? { tokens: 0, costUsd: 0 };
  }

  async liveExecutions(tenantId: string): Promise<number> {
    return first(await this.#connections.asTenant<{ count: number }>(tenantId, sql.COUNT_LIVE, [tenantId]))?.count ?? 0;
  }

  async workflowCount(tenantId: string): Promise<number> {
    return first(await this.#connections.asTenant<{ count: number }>(tenantId, sql.COUNT_WORKFLOWS, [tenantId]))?.count ?? 0;
  }
}

/** Rows of `ADD_TENANT_USAGE`. JSON has no infinity. */
export function usageRows(writes: readonly ExecutionWrite[]): readonly object[] {
  return writes.flatMap(({ tenantId, usage }) =>
    usage === null
      ? []
      : [
          {
            tenant_id: tenantId,
            month: usage.month,
            tokens: usage.tokens,
            cost_usd: Math.min(usage.costUsd, Number.MAX_SAFE_INTEGER),
          },
        ],
  );
}

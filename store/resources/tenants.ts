import { nextTurn } from '../loop-turns.ts';
import type { ActionContext } from '../port/control.ts';
import { StoreError } from '../port/errors.ts';
import {
  changeData,
  differences,
  type NewTenant,
  type TenantAdmission,
  type TenantChange,
  type TenantPolicyRow,
  type TenantRecord,
  type TenantRegistry,
  type TenantUsage,
  type UsageCorrection,
} from '../port/resources/tenants.ts';
import type { ResourceDatabase } from './database.ts';
import * as sql from './queries/tenants.ts';
import { all, get, run } from './script.ts';

/** Index entries counted in one statement, a millisecond or so; other work runs in between. */
const COUNTED_AT_ONCE = 20_000;

export class Tenants implements TenantRegistry {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  async create(tenant: NewTenant, context: ActionContext): Promise<TenantRecord> {
    await this.#db.act(context, function* () {
      if ((yield* run(sql.INSERT_TENANT, tenant)) === 0)
        throw new StoreError('tenant_exists', `tenant ${tenant.id} exists already`);
      return { event: { type: 'tenant_created', data: changeData(tenant.id, tenant) } };
    });
    return { ...tenant, updatedAtMs: tenant.createdAtMs };
  }

  update(tenantId: string, change: TenantChange, context: ActionContext): Promise<TenantRecord> {
    return this.#db.act(context, function* () {
      const before = yield* get(sql.LOCK_TENANT, { tenantId });
      if (before === null) throw new StoreError('unknown_tenant', `tenant ${tenantId} not found`);
      const changed = differences(before, change);
      if (Object.keys(changed).length === 0) return { event: null, result: before };
      const result = { ...before, ...changed, updatedAtMs: context.atMs };
      yield* run(sql.UPDATE_TENANT, result);
      return { event: { type: 'tenant_updated', data: changeData(tenantId, changed) }, result };
    });
  }

  correctUsage(
    tenantId: string,
    { month, tokens, costUsd, reason }: UsageCorrection,
    context: ActionContext,
  ): Promise<{ readonly before: TenantUsage; readonly after: TenantUsage }> {
    return this.#db.act(context, function* () {
      const counted = yield* all(sql.TAKE_USAGE, { tenantId, month });
      const before = {
        tokens: counted.reduce((sum, row) => Math.min(sum + row.tokens, Number.MAX_SAFE_INTEGER), 0),
        costUsd: counted.reduce((sum, row) => sum + row.costUsd, 0),
      };
      const after = { tokens: tokens ?? before.tokens, costUsd: costUsd ?? before.costUsd };
      yield* run(sql.ADD_USAGE, { tenantId, month, ...after });
      const [from, to] = [before, after].map((used) => ({ tokens: used.tokens, cost_usd: used.costUsd }));
      const data = JSON.stringify({ tenant_id: tenantId, month, reason, from, to });
      return { event: { type: 'tenant_usage_corrected', data }, result: { before, after } };
    });
  }

  find(tenantId: string): Promise<TenantRecord | null> {
    return this.#db.runtime.get(sql.TENANT_RECORD, { tenantId });
  }

  list(page: { readonly limit: number; readonly offset: number }): Promise<readonly TenantRecord[]> {
    return this.#db.runtime.all(sql.TENANT_RECORDS, page);
  }

  admission(tenantId: string): Promise<TenantAdmission | null> {
    return this.#db.runtime.get(sql.TENANT_ADMISSION, { tenantId });
  }

  async inactive(): Promise<readonly string[]> {
    return (await this.#db.runtime.all(sql.INACTIVE_TENANTS)).map(({ id }) => id);
  }

  policies(): Promise<readonly TenantPolicyRow[]> {
    return this.#db.runtime.all(sql.TENANT_POLICIES);
  }

  async usage(tenantId: string, month: string): Promise<TenantUsage> {
    return (await this.#db.tenant(tenantId).get(sql.TENANT_USAGE, { tenantId, month })) ?? { tokens: 0, costUsd: 0 };
  }

  async addUsage(tenantId: string, usage: TenantUsage & { readonly month: string }): Promise<void> {
    await this.#db.runtime.run(sql.ADD_USAGE, { tenantId, ...usage });
  }

  async liveExecutions(tenantId: string): Promise<number> {
    let total = 0;
    let [afterPending, afterRunning, afterPaused] = ['', '', ''];
    for (;;) {
      const values = { tenantId, afterPending, afterRunning, afterPaused, limit: COUNTED_AT_ONCE };
      const counted = await this.#db.tenant(tenantId).get(sql.COUNT_LIVE, values);
      if (counted === null) return total;
      const { pending, running, paused } = counted;
      total += pending + running + paused;
      if (Math.max(pending, running, paused) < COUNTED_AT_ONCE) return total;
      afterPending = counted.lastPending ?? afterPending;
      afterRunning = counted.lastRunning ?? afterRunning;
      afterPaused = counted.lastPaused ?? afterPaused;
      await nextTurn(tenantId);
    }
  }

  async workflowCount(tenantId: string): Promise<number> {
    return (await this.#db.tenant(tenantId).get(sql.COUNT_WORKFLOWS, { tenantId }))?.count ?? 0;
  }
}

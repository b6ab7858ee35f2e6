import { setImmediate } from 'node:timers/promises';
import type { Database, Statement } from 'better-sqlite3';
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
import type { ControlLog } from '../control-log.ts';
import { guarded } from '../errors.ts';
import * as sql from '../queries/tenants.ts';

const LIVE = ['running', 'paused'] as const;
/** Index entries counted at a time, a millisecond or so; others have their turn between. */
const COUNTED_AT_ONCE = 20_000;

interface Counted {
  readonly count: number;
  readonly last: string | null;
}

export class Tenants implements TenantRegistry {
  readonly #log: ControlLog;
  readonly #create: Statement;
  readonly #update: Statement;
  readonly #record: Statement<[string], TenantRecord>;
  readonly #records: Statement<[number, number], TenantRecord>;
  readonly #standing: Statement<[string], TenantAdmission>;
  readonly #inactive: Statement<[], string>;
  readonly #usage: Statement<[string, string], TenantUsage>;
  readonly #countByStatus: Statement<[string, string, string, number], Counted>;
  readonly #countWorkflows: Statement<[string], number>;

  constructor(db: Database, log: ControlLog) {
    this.#log = log;
    this.#create = db.prepare(sql.CREATE_TENANT);
    this.#update = db.prepare(sql.UPDATE_TENANT);
    this.#record = db.prepare<[string], TenantRecord>(sql.TENANT_RECORD);
    this.#records = db.prepare<[number, number], TenantRecord>(sql.TENANT_RECORDS);
    this.#standing = db.prepare<[string], TenantAdmission>(sql.TENANT_STANDING);
    this.#inactive = db.prepare<[], string>(sql.INACTIVE_TENANTS).pluck();
    this.#usage = db.prepare<[string, string], TenantUsage>(sql.TENANT_USAGE);
    this.#countByStatus = db.prepare<[string, string, string, number], Counted>(sql.COUNT_BY_STATUS);
    this.#countWorkflows = db.prepare<[string], number>(sql.COUNT_WORKFLOWS).pluck();
  }

  create(tenant: NewTenant, context: ActionContext): Promise<TenantRecord> {
    return guarded(() => {
      this.#log.act(context, () => {
        if (this.#create.run(tenant).changes === 0) throw new StoreError('tenant_exists', `tenant ${tenant.id} exists already`);
        return { type: 'tenant_created', data: changeData(tenant.id, tenant) };
      });
      return { ...tenant, updatedAtMs: tenant.createdAtMs };
    });
  }

  update(tenantId: string, change: TenantChange, context: ActionContext): Promise<TenantRecord> {
    return guarded(() => {
      let updated: TenantRecord | undefined;
      this.#log.act(context, () => {
        const before = this.#record.get(tenantId);
        if (before === undefined) throw new StoreError('unknown_tenant', `tenant ${tenantId}`);
        const changed = differences(before, change);
        updated = before;
        if (Object.keys(changed).length === 0) return null;
        updated = { ...before, ...changed, updatedAtMs: context.atMs };
        this.#update.run(updated);
        return { type: 'tenant_updated', data: changeData(tenantId, changed) };
      });
      if (updated === undefined) throw new Error(`tenant ${tenantId} was neither updated nor refused`);
      return updated;
    });
  }

  find(tenantId: string): Promise<TenantRecord | null> {
    return guarded(() => this.#record.get(tenantId) ?? null);
  }

  list({ limit, offset }: { readonly limit: number; readonly offset: number }): Promise<readonly TenantRecord[]> {
    return guarded(() => this.#records.all(limit, offset));
  }

  admission(tenantId: string): Promise<TenantAdmission | null> {
    return guarded(() => this.#standing.get(tenantId) ?? null);
  }

  inactive(): Promise<readonly string[]> {
    return guarded(() => this.#inactive.all());
  }

  usage(tenantId: string, month: string): Promise<TenantUsage> {
    return guarded(() => this.#usage.get(tenantId, month) ?? { tokens: 0, costUsd: 0 });
  }

  async liveExecutions(tenantId: string): Promise<number> {
    let live = 0;
    for (const status of LIVE) live += await this.#withStatus(tenantId, status);
    return live;
  }

  workflowCount(tenantId: string): Promise<number> {
    return guarded(() => this.#countWorkflows.get(tenantId) ?? 0);
  }

  async #withStatus(tenantId: string, status: string): Promise<number> {
    let total = 0;
    for (let after: string | null = ''; after !== null; ) {
      const from: string = after;
      const page = await guarded(() => this.#countByStatus.get(tenantId, status, from, COUNTED_AT_ONCE));
      total += page?.count ?? 0;
      after = page?.count === COUNTED_AT_ONCE ? page.last : null;
      if (after !== null) await setImmediate();
    }
    return total;
  }
}

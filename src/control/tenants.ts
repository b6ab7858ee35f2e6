import type { Json } from '../../machines/json.ts';
import type { ActionContext } from '../../store/port/control.ts';
import type { StorageCounts, TenantStorage } from '../../store/port/resources/storage.ts';
import type {
  TenantChange,
  TenantRecord,
  TenantRegistry,
  TenantUsage,
  UsageCorrection,
} from '../../store/port/resources/tenants.ts';
import type { Store } from '../../store/port/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { RuntimeError, truncated } from '../runtime/errors.ts';
import { monthOf } from '../runtime/month.ts';
import { parseLimits } from '../runtime/quotas/limits.ts';
import { checkPolicy } from '../runtime/quotas/tenant-policies.ts';
import type { ServerRuntime, TenantAdmission } from '../runtime/types/server-runtime.ts';

/** The tenant that every database has; its operators manage the others. */
export const DEFAULT_TENANT = 'default';

/** Safe in paths, file names and log lines without escaping. */
const TENANT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Characters of JSON. A page of tenants may hold a thousand policies. */
const MAX_POLICY_CHARS = 64 * 1024;

/** Fields to set on a tenant. Absent = unchanged, null = removed. */
export interface TenantSettings {
  readonly name?: string;
  readonly status?: TenantRecord['status'];
  /** A JSON object, stored and returned unchanged. Its rules hold for every attempt that begins from now on. */
  readonly policy?: Json;
  readonly limits?: Json;
}

/** What a tenant has stored and used. */
export interface TenantFootprint extends TenantUsage {
  /** The calendar month (UTC) of tokens and cost, such as `2026-03`. */
  readonly month: string;
  readonly liveExecutions: number;
  readonly workflows: number;
  /** Null = the tenant has no limit of storage. */
  readonly storage: TenantStorage | null;
}

export interface TenantsOptions {
  readonly store: Pick<Store, 'tenants' | 'storage'>;
  readonly runtime: Pick<ServerRuntime, 'tenants'>;
  readonly clock: Clock;
}

/** Creates and changes tenants. A change takes effect at once in this process. */
export class Tenants {
  readonly #registry: TenantRegistry;
  readonly #storage: StorageCounts;
  readonly #gate: TenantAdmission;
  readonly #clock: Clock;
  readonly #subscribers = new Set<(tenantId: string | null) => void>();

  constructor({ store, runtime, clock }: TenantsOptions) {
    this.#registry = store.tenants;
    this.#storage = store.storage;
    this.#gate = runtime.tenants;
    this.#clock = clock;
  }

  /** Rejects with `bad_request` or `tenant_exists`. */
  async create(id: string, { name, policy, limits }: TenantSettings, context: ActionContext): Promise<TenantRecord> {
    if (!TENANT_ID.test(id)) {
      throw new RuntimeError(
        'bad_request',
        `invalid tenant id ${JSON.stringify(truncated(id))}: use at most 128 letters, digits, ".", "_" and "-", starting with a letter or digit`,
      );
    }
    const created = await this.#registry.create(
      {
        id,
        name: name ?? id,
        status: 'active',
        policy: policyText(policy ?? null),
        limits: limitsText(limits ?? null),
        createdAtMs: context.atMs,
      },
      context,
    );
    await this.#followLimits(limits);
    this.#notify(created);
    return created;
  }

  /** Rejects with `bad_request` or `unknown_tenant`. */
  async update(id: string, settings: TenantSettings, context: ActionContext): Promise<TenantRecord> {
    const { name, status, policy, limits } = settings;
    if (id === DEFAULT_TENANT && status !== undefined && status !== 'active')
      throw new RuntimeError('bad_request', `tenant ${id} cannot be ${status}: its operators manage all other tenants`);
    const change: TenantChange = {
      ...(name === undefined ? {} : { name }),
      ...(status === undefined ? {} : { status }),
      ...(policy === undefined ? {} : { policy: policyText(policy) }),
      ...(limits === undefined ? {} : { limits: limitsText(limits) }),
    };
    const updated = await this.#registry.update(id, change, context);
    await this.#followLimits(limits);
    this.#notify(updated);
    return updated;
  }

  /** Rejects with `bad_request`. */
  async correctUsage(
    id: string,
    correction: UsageCorrection,
    context: ActionContext,
  ): Promise<{ readonly before: TenantUsage; readonly after: TenantUsage }> {
    const { month, tokens, costUsd } = correction;
    if (!/^\d{4}-(?:0[1-9]|1[0-2])$/.test(month))
      throw new RuntimeError('bad_request', `month must be like 2026-03, not ${JSON.stringify(truncated(month))}`);
    if (tokens === null && costUsd === null) throw new RuntimeError('bad_request', 'give tokens, cost_usd, or both');
    const corrected = await this.#registry.correctUsage(id, correction, context);
    for (const subscriber of this.#subscribers) subscriber(id);
    return corrected;
  }

  /** Rejects with `conflict` if the storage of the tenant is not counted. */
  async recountStorage(id: string, context: ActionContext): Promise<TenantStorage> {
    const conflict = new RuntimeError(
      'conflict',
      `the storage of tenant ${id} is not counted: it has no limit max_storage_bytes`,
    );
    if ((await this.#storage.of(id)) === null) throw conflict;
    await this.#storage.requestRecount(id, context);
    const storage = await this.#storage.of(id);
    for (const subscriber of this.#subscribers) subscriber(id);
    if (storage === null) throw conflict;
    return storage;
  }

  async footprint(id: string): Promise<TenantFootprint> {
    const month = monthOf(this.#clock.nowMs());
    const usage = await this.#registry.usage(id, month);
    const liveExecutions = await this.#registry.liveExecutions(id);
    const workflows = await this.#registry.workflowCount(id);
    return { month, ...usage, liveExecutions, workflows, storage: await this.#storage.of(id) };
  }

  /** Calls `subscriber` after a tenant was created or changed (null = another process may have changed any). Returns how to unsubscribe. */
  onChange(subscriber: (tenantId: string | null) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  /** Notifies subscribers. The runtime's tenant gate receives the same notification on its own. */
  changedByOtherProcess(): void {
    for (const subscriber of this.#subscribers) subscriber(null);
  }

  /** From now on, what a tenant with a new limit writes is counted. */
  async #followLimits(limits: Json | undefined): Promise<void> {
    if (limits !== undefined) await this.#storage.follow();
  }

  #notify(record: TenantRecord): void {
    this.#gate.changed(record.id, record);
    for (const subscriber of this.#subscribers) subscriber(record.id);
  }
}

function policyText(policy: Json): string | null {
  checkPolicy(policy);
  if (policy === null) return null;
  const text = JSON.stringify(policy);
  if (text.length > MAX_POLICY_CHARS)
    throw new RuntimeError('bad_request', `policy is longer than ${MAX_POLICY_CHARS} characters`);
  return text;
}

function limitsText(limits: Json): string | null {
  return limits === null ? null : JSON.stringify(parseLimits(limits));
}

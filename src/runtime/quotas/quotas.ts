import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { TenantRecord } from '../../../store/port/resources/tenants.ts';
import type { Clock } from '../clock.ts';
import type { RuntimeContext } from '../context.ts';
import type { CommitGate } from '../engine/commit/commit-gate.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { monthOf, untilNextMonthMs } from '../month.ts';
import type { TenantAdmission } from '../types/server-runtime.ts';
import { InactiveTenants } from './inactive-tenants.ts';
import type { TenantLimits } from './limits.ts';
import { LiveExecutions } from './live-executions.ts';
import { RequestRate } from './request-rate.ts';
import { TenantPolicies } from './tenant-policies.ts';
import { type TenantStatus, TenantStatusCache } from './tenant-status-cache.ts';

/** `retryAfterMs` of a concurrency refusal: when an execution ends cannot be known. */
const CONCURRENCY_RETRY_MS = 1_000;
/** The same of a refusal for storage: it is freed by requests, or by retention once a day. */
const STORAGE_RETRY_MS = 60_000;

export interface QuotaOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'events' | 'onError'> {
  readonly gate: CommitGate;
}

/**
 * Enforces the limits of tenants for every caller: clients, cron, the library. Running executions are not affected: a tenant that is
 * suspended or over a limit cannot start new ones.
 */
export class Quotas implements TenantAdmission {
  readonly #store: ExecutionStore;
  readonly #clock: Clock;
  readonly #statusCache: TenantStatusCache;
  readonly #live: LiveExecutions;
  readonly #rate = new RequestRate();
  /** The last registration in progress, for tenants with a workflow limit: their registrations are serialized. */
  readonly #registering = new Map<string, Promise<unknown>>();

  readonly #inactiveTenants: InactiveTenants;
  readonly policies: TenantPolicies;
  readonly #events: EventBus;
  readonly #onError: QuotaOptions['onError'];

  constructor({ store, clock, events, gate, onError }: QuotaOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#events = events;
    this.#onError = onError;
    this.#statusCache = new TenantStatusCache(store.tenants, clock);
    this.#live = new LiveExecutions({
      count: (tenantId) => store.tenants.liveExecutions(tenantId),
      betweenCommits: (work) => gate.betweenCommits(work),
      onFreed: (tenantId) => events.emit('capacityFreed', tenantId),
    });
    this.#inactiveTenants = new InactiveTenants(store.tenants, (tenantId) => events.emit('tenantReactivated', tenantId));
    this.policies = new TenantPolicies(store.tenants);
    events.on('committedElsewhere', ({ tenantId, started, ended }) => this.#live.committedElsewhere(tenantId, started, ended));
    events.on('controlChanged', (change) => {
      if (change?.type.startsWith('tenant_') === true) this.#changedElsewhere();
    });
    events.on('resync', () => {
      this.#changedElsewhere();
      this.#live.recount();
    });
  }

  /** Must be called for every commit of this runtime, in order. */
  committed(before: CachedExecution | null, after: CachedExecution): void {
    this.#live.committed(before, after);
  }

  /**
   * Reserves capacity for an execution that is about to start; call `release` once it has started or failed to. Null: reserved. Rejects
   * with `tenant_not_active` or `limit_exceeded_…`.
   */
  admit(tenantId: string, executionId: string): Promise<void> | null {
    const cached = this.#statusCache.cached(tenantId);
    if (cached === null || !startsWithoutLimit(cached)) return this.#admitWithinLimits(tenantId, executionId);
    this.#live.forget(tenantId);
    return null;
  }

  async #admitWithinLimits(tenantId: string, executionId: string): Promise<void> {
    const limits = await this.#limitsOfActive(tenantId);
    await this.#refuseOverMonthlyLimit(tenantId, limits);
    await this.#refuseOverStorageLimit(tenantId, limits);
    const max = limits.max_concurrent_executions;
    if (max === undefined) {
      this.#live.forget(tenantId);
      return;
    }
    const live = await this.#live.admit(tenantId, executionId, max);
    if (live === null) return;
    throw exceeded('limit_exceeded_concurrency', concurrencyMessage(tenantId, live, max), CONCURRENCY_RETRY_MS);
  }

  /** Like `admit` for a child execution, under any unique name. Returns null when reserved, else the reason. Monthly limits do not apply. */
  async admitChild(tenantId: string, name: string): Promise<string | null> {
    const { max_concurrent_executions: max } = (await this.#tenantStatus(tenantId)).limits;
    if (max === undefined) {
      this.#live.forget(tenantId);
      return null;
    }
    const live = await this.#live.admit(tenantId, name, max);
    return live === null ? null : concurrencyMessage(tenantId, live, max);
  }

  release(tenantId: string, executionId: string): void {
    this.#live.release(tenantId, executionId);
  }

  /** Calls `write` if the tenant may register the workflow. Throws `tenant_not_active`, `limit_exceeded_workflows` or `limit_exceeded_storage`. */
  async register(tenantId: string, workflowId: string, write: () => Promise<void>): Promise<void> {
    const limits = await this.#limitsOfActive(tenantId);
    await this.#refuseOverStorageLimit(tenantId, limits);
    const { max_workflows: max } = limits;
    if (max === undefined) return write();
    const registering = (this.#registering.get(tenantId) ?? Promise.resolve()).then(async () => {
      await this.#refuseOverWorkflowLimit(tenantId, workflowId, max);
      await write();
    });
    const settled = registering.catch(() => {});
    this.#registering.set(tenantId, settled);
    try {
      await registering;
    } finally {
      if (this.#registering.get(tenantId) === settled) this.#registering.delete(tenantId);
    }
  }

  /** The limits of a tenant, active or not. A promise only if the store has to be read. */
  limitsOf(tenantId: string): TenantLimits | Promise<TenantLimits> {
    const cached = this.#statusCache.cached(tenantId);
    return cached?.limits ?? this.#statusCache.read(tenantId).then(({ limits }) => limits);
  }

  mayStore(tenantId: string): Promise<void> | null {
    const limits = this.#statusCache.cached(tenantId)?.limits;
    if (limits !== undefined && limits.max_storage_bytes === undefined) return null;
    return this.#tenantStatus(tenantId).then((read) => this.#refuseOverStorageLimit(tenantId, read.limits));
  }

  async isActive(tenantId: string): Promise<boolean> {
    return (await this.#tenantStatus(tenantId)).status === 'active';
  }

  /** Rejects with `tenant_not_active`. */
  async assertActive(tenantId: string): Promise<void> {
    await this.#limitsOfActive(tenantId);
  }

  request(tenantId: string, exempt = false): Promise<void> | null {
    const cached = this.#statusCache.cached(tenantId);
    if (cached === null) return this.#statusCache.read(tenantId).then((read) => this.#countRequest(tenantId, read, exempt));
    this.#countRequest(tenantId, cached, exempt);
    return null;
  }

  #countRequest(tenantId: string, { limits }: TenantStatus, exempt: boolean): void {
    const max = limits.max_requests_per_minute;
    const retryAfterMs = max === undefined ? null : this.#rate.count(tenantId, max, this.#clock.nowMs(), exempt);
    if (retryAfterMs === null) return;
    const message = `tenant ${tenantId} has made ${max} of at most ${max} requests in a minute (max_requests_per_minute)`;
    throw exceeded('limit_exceeded_requests', message, retryAfterMs);
  }

  /** Is the tenant active, as far as this process knows? Does not read the store. */
  isKnownActive(tenantId: string): boolean {
    return this.#inactiveTenants.isActive(tenantId);
  }

  /** Reads from the store which tenants are inactive, and their policies. */
  async begin(): Promise<void> {
    await Promise.all([this.#inactiveTenants.reload(), this.policies.reload()]);
  }

  changed(tenantId: string, record?: Pick<TenantRecord, 'status' | 'policy'>): void {
    this.#statusCache.forget(tenantId);
    if (record === undefined) this.#reload();
    else {
      this.#inactiveTenants.changed(tenantId, record.status);
      this.policies.changed(tenantId, record.policy);
    }
    this.#events.emit('capacityFreed', tenantId);
  }

  /** Another runtime has changed tenants, or may have. */
  #changedElsewhere(): void {
    this.#statusCache.forgetAll();
    this.#reload();
    this.#events.emit('capacityFreed', null);
  }

  #reload(): void {
    this.begin().catch(this.#onError);
  }

  async #tenantStatus(tenantId: string): Promise<TenantStatus> {
    return this.#statusCache.cached(tenantId) ?? this.#statusCache.read(tenantId);
  }

  async #limitsOfActive(tenantId: string): Promise<TenantLimits> {
    const { status, limits } = await this.#tenantStatus(tenantId);
    if (status !== 'active') throw new RuntimeError('tenant_not_active', `tenant ${tenantId} is ${status}`);
    return limits;
  }

  async #refuseOverMonthlyLimit(tenantId: string, limits: TenantLimits): Promise<void> {
    const { max_tokens_per_month: maxTokens, max_cost_per_month_usd: maxCost } = limits;
    if (maxTokens === undefined && maxCost === undefined) return;
    const nowMs = this.#clock.nowMs();
    const month = monthOf(nowMs);
    const { tokens, costUsd } = await this.#store.tenants.usage(tenantId, month);
    const refuse = (code: RuntimeErrorCode, spent: string): never => {
      throw exceeded(code, `tenant ${tenantId} has used ${spent}`, untilNextMonthMs(nowMs));
    };
    if (maxTokens !== undefined && tokens >= maxTokens)
      refuse('limit_exceeded_tokens', `${tokens} of at most ${maxTokens} tokens in ${month} (max_tokens_per_month)`);
    if (maxCost !== undefined && costUsd >= maxCost)
      refuse(
        'limit_exceeded_cost',
        `${Number(costUsd.toFixed(6))} of at most ${maxCost} USD in ${month} (max_cost_per_month_usd)`,
      );
  }

  /** Until the first count is complete, nothing is refused. */
  async #refuseOverStorageLimit(tenantId: string, { max_storage_bytes: max }: TenantLimits): Promise<void> {
    if (max === undefined) return;
    const bytes = (await this.#store.storage.of(tenantId))?.bytes ?? null;
    if (bytes === null || bytes < max) return;
    const message = `tenant ${tenantId} stores ${bytes} of at most ${max} bytes (max_storage_bytes)`;
    throw exceeded('limit_exceeded_storage', message, STORAGE_RETRY_MS);
  }

  async #refuseOverWorkflowLimit(tenantId: string, workflowId: string, max: number): Promise<void> {
    if ((await this.#store.tenant(tenantId).revisionOf(workflowId)) !== null) return;
    const count = await this.#store.tenants.workflowCount(tenantId);
    if (count < max) return;
    const message = `tenant ${tenantId} has ${count} of at most ${max} workflows (max_workflows)`;
    throw new RuntimeError('limit_exceeded_workflows', message);
  }
}

function startsWithoutLimit({ status, limits }: TenantStatus): boolean {
  const { max_concurrent_executions, max_tokens_per_month, max_cost_per_month_usd, max_storage_bytes } = limits;
  const isUnlimited =
    (max_concurrent_executions ?? max_tokens_per_month ?? max_cost_per_month_usd ?? max_storage_bytes) === undefined;
  return status === 'active' && isUnlimited;
}

function concurrencyMessage(tenantId: string, live: number, max: number): string {
  return `tenant ${tenantId} has ${live} of at most ${max} live executions (max_concurrent_executions)`;
}

function exceeded(code: RuntimeErrorCode, message: string, retryAfterMs: number): RuntimeError {
  return new RuntimeError(code, message, { retryAfterMs });
}

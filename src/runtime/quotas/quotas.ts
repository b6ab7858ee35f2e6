import type { TenantRow } from '../../../store/rows.ts';
import type { Store } from '../../../store/store.ts';
import type { Clock } from '../clock.ts';
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts';
import type { Hot } from '../hot.ts';
import type { TenantGate } from '../types.ts';
import type { TenantLimits } from './limits.ts';
import { LiveExecutions, type LiveOptions } from './live-executions.ts';
import { monthOf, untilNextMonthMs } from './month.ts';
import { RequestRate } from './request-rate.ts';
import { type Standing, Standings } from './standings.ts';
import { Suspensions } from './suspensions.ts';

/** When a place among the live executions may be free again, nobody knows: soon. */
const CONCURRENCY_RETRY_MS = 1_000;

export interface QuotaOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly betweenCommits: LiveOptions['betweenCommits'];
  /** A tenant has become active. */
  readonly opened: (tenantId: string) => void;
  /** There may be room for another execution of the tenant; null = of any. */
  readonly freed: (tenantId: string | null) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Holds tenants to their limits, whoever asks for them: a client, cron, the library. What is under way is never touched: a tenant that is
 * suspended or over a limit begins nothing new.
 */
export class Quotas implements TenantGate {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #standings: Standings;
  readonly #live: LiveExecutions;
  readonly #rate = new RequestRate();
  /** The last registration under way, for tenants whose workflows are counted: they go one by one. */
  readonly #registering = new Map<string, Promise<unknown>>();

  readonly #suspensions: Suspensions;
  readonly #freed: QuotaOptions['freed'];
  readonly #failed: QuotaOptions['failed'];

  constructor({ store, clock, betweenCommits, opened, freed, failed }: QuotaOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#standings = new Standings(store.tenants, clock);
    this.#live = new LiveExecutions({ count: (tenantId) => store.tenants.liveExecutions(tenantId), betweenCommits, freed });
    this.#suspensions = new Suspensions(store.tenants, opened);
    this.#freed = freed;
    this.#failed = failed;
  }

  /**
   * Takes a place for an execution that is about to begin; `release` it once it has begun or failed to. Throws `tenant_not_active` or
   * `limit_exceeded_…`.
   */
  async admit(tenantId: string, executionId: string): Promise<void> {
    const limits = await this.#limitsOfActive(tenantId);
    await this.#refuseSpent(tenantId, limits);
    const max = limits.max_concurrent_executions;
    if (max === undefined) {
      this.#live.forget(tenantId);
      return;
    }
    const live = await this.#live.admit(tenantId, executionId, max);
    if (live === null) return;
    throw exceeded('limit_exceeded_concurrency', fullOf(tenantId, live, max), CONCURRENCY_RETRY_MS);
  }

  /** The same for a child, by any name: null = a place was taken; else how full it is. What a tenant spends holds up no child. */
  async admitChild(tenantId: string, name: string): Promise<string | null> {
    const { max_concurrent_executions: max } = (await this.#standing(tenantId)).limits;
    if (max === undefined) {
      this.#live.forget(tenantId);
      return null;
    }
    const live = await this.#live.admit(tenantId, name, max);
    return live === null ? null : fullOf(tenantId, live, max);
  }

  release(tenantId: string, executionId: string): void {
    this.#live.release(tenantId, executionId);
  }

  /** Told of every commit, in order. */
  committed(before: Hot | null, now: Hot): void {
    this.#live.committed(before, now);
  }

  /** Told of what other runtimes commit. */
  committedElsewhere(tenantId: string, began: boolean, ended: boolean): void {
    this.#live.committedElsewhere(tenantId, began, ended);
  }

  /** What others committed may have been missed. */
  recount(): void {
    this.#live.recount();
  }

  /** Registers by `write` if the tenant may. Throws `tenant_not_active` or `limit_exceeded_workflows`. */
  async register(tenantId: string, workflowId: string, write: () => Promise<void>): Promise<void> {
    const { max_workflows: max } = await this.#limitsOfActive(tenantId);
    if (max === undefined) return write();
    const registering = (this.#registering.get(tenantId) ?? Promise.resolve()).then(async () => {
      await this.#refuseOneMore(tenantId, workflowId, max);
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

  async isActive(tenantId: string): Promise<boolean> {
    return (await this.#standing(tenantId)).status === 'active';
  }

  async request(tenantId: string, exempt = false): Promise<void> {
    const { limits } = await this.#standing(tenantId);
    const max = limits.max_requests_per_minute;
    const retryAfterMs = max === undefined ? null : this.#rate.count(tenantId, max, this.#clock.nowMs(), exempt);
    if (retryAfterMs === null) return;
    const message = `tenant ${tenantId} has made ${max} of at most ${max} requests in a minute (max_requests_per_minute)`;
    throw exceeded('limit_exceeded_requests', message, retryAfterMs);
  }

  /** May work of the tenant begin? Known without asking. */
  isOpen(tenantId: string): boolean {
    return this.#suspensions.isActive(tenantId);
  }

  /** Reads which tenants are not active. */
  begin(): Promise<void> {
    return this.#suspensions.read();
  }

  changed(tenantId: string, status?: TenantRow['status']): void {
    this.#standings.forget(tenantId);
    if (status === undefined) void this.#suspensions.read().catch(this.#failed);
    else this.#suspensions.changed(tenantId, status);
    this.#freed(tenantId);
  }

  /** Another runtime changed tenants, or may have. */
  changedElsewhere(): void {
    this.#standings.forgetAll();
    void this.#suspensions.read().catch(this.#failed);
    this.#freed(null);
  }

  async #standing(tenantId: string): Promise<Standing> {
    return this.#standings.cached(tenantId) ?? this.#standings.read(tenantId);
  }

  async #limitsOfActive(tenantId: string): Promise<TenantLimits> {
    const { status, limits } = await this.#standing(tenantId);
    if (status !== 'active') throw new RuntimeError('tenant_not_active', `tenant ${tenantId} is ${status}`);
    return limits;
  }

  async #refuseSpent(tenantId: string, limits: TenantLimits): Promise<void> {
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

  async #refuseOneMore(tenantId: string, workflowId: string, max: number): Promise<void> {
    if ((await this.#store.tenant(tenantId).revisionOf(workflowId)) !== null) return;
    const count = await this.#store.tenants.workflowCount(tenantId);
    if (count < max) return;
    const message = `tenant ${tenantId} has ${count} of at most ${max} workflows (max_workflows)`;
    throw new RuntimeError('limit_exceeded_workflows', message);
  }
}

function fullOf(tenantId: string, live: number, max: number): string {
  return `tenant ${tenantId} has ${live} of at most ${max} live executions (max_concurrent_executions)`;
}

function exceeded(code: RuntimeErrorCode, message: string, retryAfterMs: number): RuntimeError {
  return new RuntimeError(code, message, { retryAfterMs });
}

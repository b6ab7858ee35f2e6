import { Agents } from './agents/agents.ts';
import { Audit } from './audit.ts';
import { CronJobs } from './cron/jobs.ts';
import { DataPolicyRetention } from './data-policy-retention.ts';
import { BulkJobs } from './jobs/jobs.ts';
import { LeaderLease } from './leader-lease.ts';
import { LiveEvents } from './live/live-events.ts';
import { MemoryExpiry } from './memory-expiry.ts';
import { Retention } from './retention.ts';
import type { ControlDeps, Service, SingletonService } from './service.ts';
import { StorageCounting } from './storage-counting.ts';
import { Tenants } from './tenants.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** Agents, audit, cron jobs, bulk jobs, live events, retention, tenants and webhooks of one process. */
export class ControlPlane {
  readonly agents: Agents;
  readonly audit: Audit;
  readonly cron: CronJobs;
  readonly jobs: BulkJobs;
  readonly live: LiveEvents;
  readonly tenants: Tenants;
  readonly webhooks: Webhooks;
  /** Services that run in every process, for its own clients. */
  readonly #services: readonly Service[];
  /** Services that run in one process of the cluster, the one that holds the lease. */
  readonly #singletons: readonly SingletonService[];
  readonly #lease: LeaderLease | null;
  readonly #unsubscribe: () => void;

  constructor(deps: ControlDeps) {
    this.agents = new Agents({ store: deps.store.agents, outbound: deps.outbound, nowMs: () => deps.clock.nowMs() });
    this.live = new LiveEvents(deps);
    this.tenants = new Tenants(deps);
    this.webhooks = new Webhooks(deps, this.tenants);
    this.audit = new Audit(deps);
    this.cron = new CronJobs(deps);
    this.jobs = new BulkJobs(deps);
    const retention = new Retention({ ...deps, tenants: this.tenants });
    const dataPolicyRetention = new DataPolicyRetention(deps);
    this.#services = [this.live, this.audit];
    const memoryExpiry = new MemoryExpiry(deps);
    const storageCounting = new StorageCounting({ ...deps, tenants: this.tenants });
    const expiry = [retention, dataPolicyRetention, memoryExpiry];
    this.#singletons = [this.webhooks, this.cron.runner, this.jobs.runner, ...expiry, storageCounting];
    const standBy = async (): Promise<void> => {
      await Promise.all(this.#singletons.map((service) => service.standBy()));
    };
    this.#lease = deps.store.shared
      ? new LeaderLease(deps, { onAcquired: () => startAll(this.#singletons), onLost: standBy })
      : null;
    this.#unsubscribe = deps.runtime.onControl((change) => this.#onControlChange(change?.type ?? null));
  }

  /** Starts the background services. One-shot runs on a shared database do not call it: a server on that database runs them. */
  async start(): Promise<void> {
    await startAll(this.#services);
    await (this.#lease === null ? startAll(this.#singletons) : this.#lease.start());
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#lease?.stop();
    await Promise.all([...this.#services, ...this.#singletons].map((service) => service.close()));
    await this.#lease?.release();
  }

  /** Handles a change made by another process; null = notifications may have been lost, so anything may have changed. */
  #onControlChange(type: string | null): void {
    const concerns = (prefix: string): boolean => type?.startsWith(prefix) ?? true;
    if (concerns('cron_')) this.cron.runner.changed();
    if (concerns('webhook_')) this.webhooks.changed();
    if (concerns('job_')) this.jobs.changed();
    // Not on null: retention would scan all tenants each time.
    if (type?.startsWith('tenant_')) this.tenants.changedByOtherProcess();
  }
}

async function startAll(services: readonly Service[]): Promise<void> {
  for (const service of services) await service.start();
}

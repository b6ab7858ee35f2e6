import { Agents } from './agents/agents.ts';
import { Audit } from './audit.ts';
import { CronJobs } from './cron/jobs.ts';
import { BulkJobs } from './jobs/jobs.ts';
import { LiveEvents } from './live/live-events.ts';
import type { Background, Parts } from './parts.ts';
import { Retention } from './retention.ts';
import { Tenants } from './tenants.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/** What is managed beside the executions themselves, for all tenants. Each part is a field; its file says what it does. */
export class ControlPlane {
  readonly agents: Agents;
  readonly audit: Audit;
  readonly cron: CronJobs;
  readonly jobs: BulkJobs;
  readonly live: LiveEvents;
  readonly tenants: Tenants;
  readonly webhooks: Webhooks;
  readonly #background: readonly Background[];

  constructor(parts: Parts) {
    this.agents = new Agents({ store: parts.store.agents, outbound: parts.outbound, nowMs: () => parts.clock.nowMs() });
    this.live = new LiveEvents(parts);
    this.tenants = new Tenants(parts);
    this.webhooks = new Webhooks(parts, this.tenants);
    this.audit = new Audit(parts);
    this.cron = new CronJobs(parts);
    this.jobs = new BulkJobs(parts);
    const retention = new Retention({ ...parts, tenants: this.tenants });
    this.#background = [this.live, this.webhooks, this.cron.runner, this.jobs.runner, this.audit, retention];
  }

  /** Starts what goes on by itself. One-shot runs on a shared database do not: a server on it will. */
  async begin(): Promise<void> {
    for (const part of this.#background) await part.begin();
  }

  async close(): Promise<void> {
    await Promise.all(this.#background.map((part) => part.close()));
  }
}

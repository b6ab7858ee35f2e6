import { Agents } from './agents/agents.ts';
import { Audit } from './audit.ts';
import { CronJobs } from './cron/jobs.ts';
import { BulkJobs } from './jobs/jobs.ts';
import { Lease } from './lease.ts';
import { LiveEvents } from './live/live-events.ts';
import type { Background, Parts, Single } from './parts.ts';
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
  /** What serves the clients of this process. */
  readonly #everywhere: readonly Background[];
  /** What goes on once, however many processes there are. */
  readonly #once: readonly Single[];
  readonly #lease: Lease | null;
  readonly #deaf: () => void;

  constructor(parts: Parts) {
    this.agents = new Agents({ store: parts.store.agents, outbound: parts.outbound, nowMs: () => parts.clock.nowMs() });
    this.live = new LiveEvents(parts);
    this.tenants = new Tenants(parts);
    this.webhooks = new Webhooks(parts, this.tenants);
    this.audit = new Audit(parts);
    this.cron = new CronJobs(parts);
    this.jobs = new BulkJobs(parts);
    const retention = new Retention({ ...parts, tenants: this.tenants });
    this.#everywhere = [this.live, this.audit];
    this.#once = [this.webhooks, this.cron.runner, this.jobs.runner, retention];
    const rest = async (): Promise<void> => {
      await Promise.all(this.#once.map((part) => part.rest()));
    };
    this.#lease = parts.store.shared ? new Lease(parts, { begin: () => beginAll(this.#once), rest }) : null;
    this.#deaf = parts.runtime.onControl((change) => this.#changedElsewhere(change?.type ?? null));
  }

  /** Starts what goes on by itself. One-shot runs on a shared database do not: a server on it will. */
  async begin(): Promise<void> {
    await beginAll(this.#everywhere);
    await (this.#lease === null ? beginAll(this.#once) : this.#lease.begin());
  }

  async close(): Promise<void> {
    this.#deaf();
    await this.#lease?.stop();
    await Promise.all([...this.#everywhere, ...this.#once].map((part) => part.close()));
    await this.#lease?.giveBack();
  }

  /** Another process did something that may concern what goes on here; null = it may have. */
  #changedElsewhere(type: string | null): void {
    const concerns = (prefix: string): boolean => type?.startsWith(prefix) ?? true;
    if (concerns('cron_')) this.cron.runner.changed();
    if (concerns('webhook_')) this.webhooks.changed();
    if (concerns('job_')) this.jobs.changed();
    // Retention looks at everything: not without need.
    if (type?.startsWith('tenant_')) this.tenants.changedElsewhere();
  }
}

async function beginAll(parts: readonly Background[]): Promise<void> {
  for (const part of parts) await part.begin();
}

import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Batch } from '../port/commit.ts';
import type { ActionContext, ControlAction } from '../port/control.ts';
import type { TenantStore } from '../port/execution-store.ts';
import type { EventPageRequest } from '../port/executions.ts';
import type { StoreNotification } from '../port/notifications.ts';
import type { AuditReport } from '../port/resources/audit.ts';
import type { Store } from '../port/store.ts';
import type { ClaimRequest, LeaseRenewal } from '../port/work-items.ts';
import type { RuntimeHolder, WorkerHeartbeat } from '../port/workers.ts';
import { Agents } from '../resources/agents.ts';
import { Approvals } from '../resources/approvals.ts';
import { Artifacts } from '../resources/artifacts.ts';
import { BacklogReader } from '../resources/backlog.ts';
import { ControlActions } from '../resources/control-actions.ts';
import { CronJobs } from '../resources/cron.ts';
import { Erasures } from '../resources/erasures.ts';
import { ExecutionIds } from '../resources/execution-ids.ts';
import { Jobs } from '../resources/jobs.ts';
import { Memory } from '../resources/memory/memory.ts';
import { Retention } from '../resources/retention.ts';
import { SignInLinks } from '../resources/sign-in-links.ts';
import { Storage } from '../resources/storage.ts';
import { SubjectTokens } from '../resources/subject-tokens.ts';
import { Tenants } from '../resources/tenants.ts';
import { Threads } from '../resources/threads/threads.ts';
import { Webhooks } from '../resources/webhooks.ts';
import { Workers } from '../resources/workers.ts';
import { PostgresAudit } from './audit/audit-log.ts';
import { verifyChains } from './audit/verify.ts';
import { clockAheadMs } from './clock.ts';
import { Commits } from './commit/commits.ts';
import type { Connections } from './connections.ts';
import { ControlLog } from './control-log.ts';
import { DueQueries } from './due.ts';
import { asStoreError } from './errors.ts';
import { PostgresLog } from './global-event-log.ts';
import { Leases } from './leases.ts';
import { PostgresMessages } from './notify/messages.ts';
import { NotificationReceiver } from './notify/receiver.ts';
import { NotificationSender } from './notify/sender.ts';
import { PostgresResources } from './resource-database.ts';
import { RuntimeReads } from './runtime-reads.ts';
import { tenantStore } from './tenant-store.ts';
import { WorkItems } from './work.ts';
import { Writer } from './writer.ts';

const TENANTS_AT_HAND = 1_000;

export interface Identity {
  /** The runtime or command that writes: the name of its audit chain. */
  readonly writer: string;
  /** Signs audit blocks, and checks signatures; null = blocks are not signed. */
  readonly hmacKey: string | Uint8Array | null;
  /** Called with the errors of idle connections, and when the database lacks commits it had acknowledged. */
  readonly onError: (error: Error) => void;
  /** The schema that this release knows. */
  readonly newestVersion: number;
}

/** The engine for any number of processes on one database. */
export class PostgresStore implements Store {
  readonly engine = 'postgres';
  readonly shared = true;
  readonly agents: Agents;
  readonly approvals: Approvals;
  readonly artifacts: Artifacts;
  readonly erasures: Erasures;
  readonly audit: PostgresAudit;
  readonly backlog: BacklogReader;
  readonly cron: CronJobs;
  readonly jobs: Jobs;
  readonly log: PostgresLog;
  readonly memory: Memory;
  readonly retention: Retention;
  readonly signInLinks: SignInLinks;
  readonly storage: Storage;
  readonly subjectTokens: SubjectTokens;
  readonly tenants: Tenants;
  readonly threads: Threads;
  readonly webhooks: Webhooks;
  readonly messages: PostgresMessages;
  readonly #connections: Connections;
  readonly #hmacKey: string | Uint8Array | null;
  readonly #newestVersion: number;
  readonly #writer: Writer;
  readonly #sender: NotificationSender;
  readonly #commits: Commits;
  readonly #control: ControlActions;
  readonly #reads: RuntimeReads;
  readonly #work: WorkItems;
  readonly #due: DueQueries;
  readonly #ids: ExecutionIds;
  readonly #workers: Workers;
  readonly #leases: Leases;
  readonly #tenants = new LRUCache<string, TenantStore>({ max: TENANTS_AT_HAND });
  readonly #receiver: NotificationReceiver;

  constructor(connections: Connections, { writer, hmacKey, onError, newestVersion }: Identity) {
    const self = randomUUID();
    this.#connections = connections;
    this.#hmacKey = hmacKey;
    this.#newestVersion = newestVersion;
    this.#writer = new Writer(connections, writer, hmacKey, () => this.#receiver.reportLostCommits());
    const log = new ControlLog(this.#writer, self);
    this.#sender = new NotificationSender(connections, self, onError);
    this.#commits = new Commits(this.#writer, this.#sender, hmacKey);
    const resources = new PostgresResources(connections, log);
    this.#control = new ControlActions(resources);
    this.#ids = new ExecutionIds(resources);
    this.#workers = new Workers(resources);
    this.log = new PostgresLog(connections);
    this.agents = new Agents(resources);
    this.approvals = new Approvals(resources);
    this.artifacts = new Artifacts(resources);
    this.erasures = new Erasures(resources, hmacKey);
    this.audit = new PostgresAudit(connections, hmacKey);
    this.backlog = new BacklogReader(resources);
    this.cron = new CronJobs(resources);
    this.jobs = new Jobs(resources);
    this.memory = new Memory(resources);
    this.retention = new Retention(resources);
    this.signInLinks = new SignInLinks(resources);
    this.storage = new Storage(resources);
    this.subjectTokens = new SubjectTokens(resources);
    this.tenants = new Tenants(resources);
    this.threads = new Threads(resources);
    this.webhooks = new Webhooks(resources, this.log);
    this.#reads = new RuntimeReads(connections, hmacKey);
    this.#work = new WorkItems(connections);
    this.#due = new DueQueries(connections);
    this.#leases = new Leases(connections, self);
    this.messages = new PostgresMessages(connections, self);
    // A process that writes nothing would not detect lost commits otherwise.
    this.#receiver = new NotificationReceiver(
      connections,
      self,
      onError,
      () => void this.#writer.checkAcknowledged().catch(onError),
      this.messages,
    );
  }

  get connections() {
    return this.#connections.use;
  }

  commit(batch: Batch) {
    return this.#commits.commit(batch);
  }

  control(action: ControlAction, context: ActionContext) {
    return this.#control.act(action, context);
  }

  tenant(tenantId: string): TenantStore {
    let tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) {
      tenant = tenantStore(tenantId, this.#connections, this.#ids, this.#workers);
      this.#tenants.set(tenantId, tenant);
    }
    return tenant;
  }

  execution(id: string) {
    return this.#reads.execution(id);
  }

  checkpoint(executionId: string, atOrBefore?: number) {
    return this.#reads.checkpoint(executionId, atOrBefore);
  }

  events(executionId: string, request: EventPageRequest) {
    return this.#reads.events(executionId, request);
  }

  revision(tenantId: string, hash: string) {
    return this.#reads.revision(tenantId, hash);
  }

  executionsWithLocalWork({ after, limit }: { readonly after: string; readonly limit: number }) {
    return this.#reads.withLocalWork(after, limit);
  }

  inbox({ after, limit }: { readonly after: number; readonly limit: number }) {
    return this.#reads.inbox(after, limit);
  }

  due(nowMs: number, limit: number) {
    return this.#due.due(nowMs, limit);
  }

  nextDueAtMs(afterMs = 0) {
    return this.#due.nextDueAtMs(afterMs);
  }

  claimWork(claim: ClaimRequest) {
    return this.#work.claim(claim);
  }

  workItem(tenantId: string, id: string) {
    return this.#work.item(tenantId, id);
  }

  unclaimedWork({ queue, after, limit }: { readonly queue: string; readonly after: string; readonly limit: number }) {
    return this.#work.unclaimed(queue, after, limit);
  }

  renewLease(renewal: LeaseRenewal) {
    return this.#work.renewLease(renewal);
  }

  heartbeat(worker: WorkerHeartbeat) {
    return this.#workers.heartbeat(worker);
  }

  recordStop(runtimeId: string, atMs: number) {
    return this.#workers.recordStop(runtimeId, atMs);
  }

  clockAheadMs(nowMs: () => number) {
    return clockAheadMs(this.#connections, nowMs);
  }

  stoppedCleanly(runtimeId: string) {
    return this.#workers.stoppedCleanly(runtimeId);
  }

  activeRuntimes(sinceMs: number) {
    return this.#workers.activeRuntimes(sinceMs);
  }

  acquireLease(name: string, holder: string, nowMs: number, ttlMs: number) {
    return this.#leases.take(name, holder, nowMs, ttlMs);
  }

  tokenByHash(hash: string) {
    return this.#reads.tokenByHash(hash);
  }

  async schemaVersions() {
    return { schemaVersion: await this.#reads.schemaVersion(), newestVersion: this.#newestVersion };
  }

  tenantRow(id: string) {
    return this.#reads.tenant(id);
  }

  async verifyAudit(signal?: AbortSignal): Promise<AuditReport> {
    try {
      const client = await this.#connections.dedicatedWithoutTimeout();
      try {
        return await verifyChains(client, this.#hmacKey, signal);
      } finally {
        await client.end();
      }
    } catch (error) {
      throw asStoreError(error);
    }
  }

  /** Any number of runtimes work on one database; the holder's name is that of its audit chain. */
  async lock(holder: RuntimeHolder): Promise<void> {
    if (this.#connections.closed) await this.#connections.query({ name: '', text: 'SELECT 1' });
    this.#writer.writer = holder.runtimeId;
  }

  subscribe(subscriber: (notification: StoreNotification) => void): () => void {
    return this.#receiver.subscribe(subscriber);
  }

  notifyGap(): void {
    this.#sender.notifyGap();
  }

  async close(): Promise<void> {
    await Promise.all([this.#receiver.close(), this.#writer.close()]);
    await this.#sender.close();
    await this.#connections.close();
  }
}

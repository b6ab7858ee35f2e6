import type { Database } from 'better-sqlite3';
import type { Batch } from '../port/commit.ts';
import type { ActionContext, ControlAction } from '../port/control.ts';
import type { TenantStore } from '../port/execution-store.ts';
import type { EventPageRequest } from '../port/executions.ts';
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
import { storedSnapshot } from '../snapshot-seal.ts';
import { SqliteAudit } from './audit/audit-log.ts';
import { AuditChain } from './audit/chain.ts';
import { verifyChain } from './audit/verify.ts';
import { Commits } from './commit/commits.ts';
import { ControlLog } from './control-log.ts';
import { DatabaseFiles } from './database-files.ts';
import { DiskSpace } from './disk-space.ts';
import { DueQueries } from './due.ts';
import { asStoreError, guarded, storeClosed } from './errors.ts';
import { SqliteLog } from './global-event-log.ts';
import { Leases } from './leases.ts';
import { ExecutionLog } from './log/execution-log.ts';
import { LogNames } from './log/log-names.ts';
import { SqliteResources } from './resource-database.ts';
import { RunLock } from './run-lock.ts';
import { RuntimeReads } from './runtime-reads.ts';
import { TenantQueries, tenantStore } from './tenant-store.ts';
import { Transactions } from './transactions.ts';
import { WorkItems } from './work.ts';

export interface Identity {
  /** The runtime or command that writes; recorded in each audit block. */
  readonly writer: string;
  /** Signs audit blocks, and checks signatures; null = blocks are not signed. */
  readonly hmacKey: string | Uint8Array | null;
  /** The schema that this release knows. */
  readonly newestVersion: number;
}

/** The embedded engine: SQLite on this thread, behind the asynchronous port. */
export class SqliteStore implements Store {
  readonly engine = 'sqlite';
  readonly shared = false;
  readonly signInLinks: SignInLinks;
  readonly storage: Storage;
  readonly subjectTokens: SubjectTokens;
  readonly tenants: Tenants;
  readonly threads: Threads;
  readonly agents: Agents;
  readonly approvals: Approvals;
  readonly artifacts: Artifacts;
  readonly erasures: Erasures;
  readonly audit: SqliteAudit;
  readonly memory: Memory;
  readonly retention: Retention;
  readonly backlog: BacklogReader;
  readonly connections = null;
  readonly cron: CronJobs;
  readonly jobs: Jobs;
  readonly log: SqliteLog;
  readonly webhooks: Webhooks;
  readonly #db: Database;
  readonly #hmacKey: string | Uint8Array | null;
  readonly #newestVersion: number;
  readonly #audit: AuditChain;
  readonly #commits: Commits;
  readonly #control: ControlActions;
  readonly #reads: RuntimeReads;
  readonly #executionLog: ExecutionLog;
  readonly #tenantQueries: TenantQueries;
  readonly #work: WorkItems;
  readonly #due: DueQueries;
  readonly #workers: Workers;
  readonly #leases: Leases;
  readonly #files: DatabaseFiles;
  readonly #diskSpace: DiskSpace;
  readonly #lock: RunLock;

  constructor(db: Database, { writer, hmacKey, newestVersion }: Identity) {
    const files = new DatabaseFiles(db);
    const lock = new RunLock(db);
    const diskSpace = new DiskSpace(db.name);
    const names = new LogNames(db);
    const transactions = new Transactions(db, {
      beforeBegin() {
        // The driver reports a closed database.
        if (db.open) files.check(1);
        lock.check();
      },
      afterCommit: () => files.check(2),
      afterRollback: () => names.forget(),
      onError: (error) => diskSpace.failed(error),
    });
    const audit = new AuditChain(db, writer, hmacKey);
    this.#db = db;
    this.#hmacKey = hmacKey;
    this.#newestVersion = newestVersion;
    this.#audit = audit;
    const log = new ControlLog(db, transactions, audit);
    const resources = new SqliteResources(db, transactions, log);
    this.#commits = new Commits(db, transactions, { audit, names, resources, key: hmacKey });
    this.#control = new ControlActions(resources);
    this.#workers = new Workers(resources);
    this.log = new SqliteLog(db, names);
    this.agents = new Agents(resources);
    this.approvals = new Approvals(resources);
    this.artifacts = new Artifacts(resources);
    this.erasures = new Erasures(resources, hmacKey);
    this.audit = new SqliteAudit(db, names, hmacKey);
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
    this.#reads = new RuntimeReads(db);
    this.#executionLog = new ExecutionLog(db, names);
    this.#work = new WorkItems(db, transactions);
    this.#tenantQueries = new TenantQueries(db, new ExecutionIds(resources), this.#workers, this.#work);
    this.#due = new DueQueries(db);
    this.#leases = new Leases(db);
    this.#files = files;
    this.#diskSpace = diskSpace;
    this.#lock = lock;
  }

  commit(batch: Batch) {
    return guarded(() => this.#commits.commit(batch));
  }

  control(action: ControlAction, context: ActionContext) {
    return this.#control.act(action, context);
  }

  tenant(tenantId: string): TenantStore {
    return tenantStore(tenantId, this.#tenantQueries);
  }

  execution(id: string) {
    return guarded(() => this.#reads.execution.get(id) ?? null);
  }

  checkpoint(executionId: string, atOrBefore = Number.MAX_SAFE_INTEGER) {
    return guarded(() => {
      const row = this.#reads.checkpoint.get(executionId, atOrBefore);
      return row === undefined ? null : storedSnapshot(this.#hmacKey, executionId, row);
    });
  }

  events(executionId: string, request: EventPageRequest) {
    return guarded(() => this.#executionLog.page(executionId, request));
  }

  revision(tenantId: string, hash: string) {
    return guarded(() => this.#reads.revision.get(tenantId, hash) ?? null);
  }

  executionsWithLocalWork({ after, limit }: { readonly after: string; readonly limit: number }) {
    return guarded(() => this.#reads.withLocalWork.all(after, limit));
  }

  inbox({ after, limit }: { readonly after: number; readonly limit: number }) {
    return guarded(() => this.#reads.inbox.all(after, limit));
  }

  due(nowMs: number, limit: number) {
    return guarded(() => this.#due.due(nowMs, limit));
  }

  nextDueAtMs(afterMs?: number) {
    return guarded(() => this.#due.nextDueAtMs(afterMs));
  }

  claimWork(claim: ClaimRequest) {
    return guarded(() => this.#work.claim(claim));
  }

  workItem(tenantId: string, id: string) {
    return guarded(() => this.#work.item(tenantId, id));
  }

  unclaimedWork({ queue, after, limit }: { readonly queue: string; readonly after: string; readonly limit: number }) {
    return guarded(() => this.#work.unclaimed(queue, after, limit));
  }

  renewLease(renewal: LeaseRenewal) {
    return guarded(() => this.#work.renewLease(renewal));
  }

  async heartbeat(worker: WorkerHeartbeat): Promise<void> {
    // With its heartbeat, a runtime checks that the database files are still its own.
    if (worker.kind === 'runtime') await guarded(() => this.#checkFiles());
    await this.#workers.heartbeat(worker);
  }

  #checkFiles(): void {
    if (!this.#db.open) return;
    this.#files.check(3);
    this.#lock.renew();
    this.#diskSpace.check();
  }

  recordStop(runtimeId: string, atMs: number) {
    return this.#workers.recordStop(runtimeId, atMs);
  }

  /** The database has no clock but the machine's. */
  async clockAheadMs(): Promise<number> {
    return 0;
  }

  stoppedCleanly(runtimeId: string) {
    return this.#workers.stoppedCleanly(runtimeId);
  }

  activeRuntimes(sinceMs: number) {
    return this.#workers.activeRuntimes(sinceMs);
  }

  acquireLease(name: string, holder: string, nowMs: number, ttlMs: number) {
    return guarded(() => this.#leases.take(name, holder, nowMs, ttlMs));
  }

  /** Only one runtime works on a file, so there is nothing to be notified of. */
  subscribe(): () => void {
    return () => {};
  }

  notifyGap(): void {}

  readonly messages = null;

  tokenByHash(hash: string) {
    return guarded(() => this.#reads.tokenByHash.get(hash) ?? null);
  }

  schemaVersions() {
    return guarded(() => ({ schemaVersion: this.#reads.schemaVersion.get() ?? 0, newestVersion: this.#newestVersion }));
  }

  tenantRow(id: string) {
    return guarded(() => {
      if (this.#db.open) this.#files.check(3);
      return this.#reads.tenant.get(id) ?? null;
    });
  }

  async verifyAudit(signal?: AbortSignal): Promise<AuditReport> {
    try {
      if (!this.#db.open) throw storeClosed();
      return await verifyChain(this.#db, this.#hmacKey, signal);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  lock(holder: RuntimeHolder) {
    return guarded(() => {
      this.#lock.take(holder);
      this.#audit.writer = holder.runtimeId;
    });
  }

  close() {
    return guarded(() => {
      if (!this.#db.open) return;
      // Closing the last connection merges the write-ahead log into the database.
      this.#db.close();
      this.#lock.release();
    });
  }
}

import type { TokenRow } from './control.ts';
import type { AgentStore } from './resources/agents.ts';
import type { AuditReport, AuditStore } from './resources/audit.ts';
import type { BacklogStore } from './resources/backlog.ts';
import type { CronStore } from './resources/cron.ts';
import type { GlobalEventLog } from './resources/event-log.ts';
import type { JobStore } from './resources/jobs.ts';
import type { RetentionStore } from './resources/retention.ts';
import type { SignInLinkStore } from './resources/sign-in-links.ts';
import type { StorageCounts } from './resources/storage.ts';
import type { TenantRegistry, TenantRow } from './resources/tenants.ts';
import type { WebhookStore } from './resources/webhooks.ts';
import type { SchemaVersions } from './survey.ts';

/**
 * What a server manages beside executions, and how it observes them. The runtime needs none of it: an engine for embedded use can do without.
 * Errors as in `ExecutionStore`.
 */
export interface ControlStore {
  readonly agents: AgentStore;
  readonly audit: AuditStore;
  readonly backlog: BacklogStore;
  readonly cron: CronStore;
  readonly jobs: JobStore;
  /** The live log that event streams and webhooks follow. */
  readonly log: GlobalEventLog;
  readonly retention: RetentionStore;
  readonly signInLinks: SignInLinkStore;
  readonly storage: StorageCounts;
  readonly tenants: TenantRegistry;
  readonly webhooks: WebhookStore;

  /** The pooled connections of this process; null for a database without connections. */
  readonly connections: ConnectionUse | null;

  /** By the SHA-256 of the plaintext, across tenants; null when unknown. */
  tokenByHash(hash: string): Promise<TokenRow | null>;
  /** The schema of the database now, and the one that this release knows. */
  schemaVersions(): Promise<SchemaVersions>;
  tenantRow(id: string): Promise<TenantRow | null>;

  /**
   * Walks the audit chain from its beginning and reports the first fault. Opened with a signing key, every block must carry its signature. Reads one
   * snapshot of the database, so a running system can be verified. Rejects with the signal's reason once it is aborted.
   */
  verifyAudit(signal?: AbortSignal): Promise<AuditReport>;
}

/** The pooled connections of one process to its database. */
export interface ConnectionUse {
  /** The most that may be open. */
  readonly max: number;
  readonly open: number;
  readonly idle: number;
  /** Requests that wait for a connection. */
  readonly waiting: number;
}

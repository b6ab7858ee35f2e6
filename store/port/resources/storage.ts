import type { ActionContext } from '../control.ts';

/** What the bytes of a tenant are: logs with their checkpoints, uploaded and offloaded artifacts, registered documents, queued payloads … */
export const STORAGE_KINDS = ['logs', 'artifacts', 'memory', 'threads', 'deliveries', 'definitions', 'work'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** What a tenant with `max_storage_bytes` stores. */
export interface TenantStorage {
  /** Null until the first count is complete. Exact from then on, also while everything is counted anew. */
  readonly bytes: number | null;
  readonly byKind: Readonly<Record<StorageKind, number>>;
  /** Whether everything is being counted, for the first time or anew. */
  readonly isCounting: boolean;
}

export interface StorageOfTenant {
  readonly tenantId: string;
  readonly bytes: number;
  readonly maxBytes: number;
}

/** Counts the storage of tenants that have a limit. What is written and deleted is counted in its own transaction. */
export interface StorageCounts {
  /** Null = the tenant is not counted. */
  of(tenantId: string): Promise<TenantStorage | null>;
  /** Begins with tenants that were given a limit, and ends with those that have none any more. Resolves to the tenants that `count` is to be called for. */
  follow(): Promise<readonly string[]>;
  /** Counts everything that the tenant stores, beside commits and between other work. Stops when it is not wanted any more; `follow` names the tenant again. */
  count(tenantId: string, isWanted: () => boolean): Promise<void>;
  /** Has everything counted anew; logged as `tenant_recount_requested`. */
  requestRecount(tenantId: string, context: ActionContext): Promise<void>;
}

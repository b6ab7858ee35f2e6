import type { ActionContext } from './control.ts';

export interface WorkerHeartbeat {
  readonly id: string;
  /** Null for a runtime: it serves all tenants. */
  readonly tenantId: string | null;
  readonly kind: 'external' | 'runtime';
  readonly queues: readonly string[];
  /** The tools that it serves; null = every tool of its queues. */
  readonly tools: readonly string[] | null;
  readonly atMs: number;
  /** Items claimed since the last heartbeat. */
  readonly claimed: number;
  /** The actor of the event that records the first heartbeat. */
  readonly actor: Pick<ActionContext, 'actorId' | 'actorType' | 'request'>;
}

/** Runtimes that are listed; external workers of a tenant that are recorded. */
export const MAX_WORKERS = 1_000;

/** Workers that were not seen for this long are no longer listed, and make room for others. */
export const LISTED_FOR_MS = 10 * 60_000;

export interface WorkerRow {
  readonly id: string;
  readonly kind: 'external' | 'runtime';
  readonly queues: readonly string[];
  /** As in the heartbeat. */
  readonly tools: readonly string[] | null;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly claimedTotal: number;
  /** External: items claimed and not settled. Runtime: the tenant's executions it owns with work in progress. */
  readonly inFlight: number;
}

export interface RuntimeHolder {
  readonly runtimeId: string;
  readonly pid: number;
  readonly startedAtMs: number;
}

import type { ActionContext } from '../control.ts';

export const AGENT_STATUSES = ['registered', 'active', 'paused', 'deactivated', 'archived'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export interface AgentRow {
  /** The id that the card gives; unique within the tenant. */
  readonly id: string;
  /** Assigned at registration; unique within the tenant, and never changed. */
  readonly uuid: string;
  readonly name: string;
  readonly status: AgentStatus;
  readonly statusSinceMs: number;
  /** JSON object text. */
  readonly card: string;
  /** 1 for a new agent; each logged change adds 1, heartbeats do not. */
  readonly version: number;
  readonly registeredAtMs: number;
  readonly updatedAtMs: number;
  readonly lastHeartbeatAtMs: number | null;
}

export interface AgentWrite {
  readonly agent: Omit<AgentRow, 'lastHeartbeatAtMs'>;
  /** What the agent is found by, compared literally: `skill:research`, `protocol:a2a` … */
  readonly traits: readonly string[];
  /** The event for the audit log: type in snake_case, data as JSON object text. */
  readonly event: { readonly type: string; readonly data: string };
}

export interface AgentFilter {
  readonly status?: AgentStatus;
  /** The agent must have all of them. */
  readonly traits: readonly string[];
  readonly limit: number;
  /** Matches that are left out. */
  readonly offset: number;
  /** `next` of the page before; default: the first page. */
  readonly before?: number;
}

export interface AgentPage {
  /** The most recently registered first; registering an agent again does not move it. */
  readonly agents: readonly AgentRow[];
  /** Null: there are no more. */
  readonly next: number | null;
}

/** An event that concerns an agent. */
export interface AgentTraceRow {
  readonly atMs: number;
  /** `in`: the agent was the target; `out`: the agent was the actor. */
  readonly direction: 'in' | 'out';
  readonly type: string;
  readonly actorId: string;
  /** Null for events of the control plane. */
  readonly executionId: string | null;
  readonly nodeId: string | null;
}

/** What the last calls of an agent were like: older ones count less, so that these are no whole numbers. */
export interface AgentOutcomesRow {
  readonly uri: string;
  readonly calls: number;
  readonly failures: number;
  readonly totalMs: number;
}

export interface AgentOutcome {
  readonly uri: string;
  readonly failed: boolean;
  readonly durationMs: number;
  readonly atMs: number;
}

/** The agents of all tenants; each method concerns one tenant. */
export interface AgentStore {
  /** By id, otherwise by uuid; null when the tenant has no such agent. */
  get(tenantId: string, idOrUuid: string): Promise<AgentRow | null>;
  list(tenantId: string, filter: AgentFilter): Promise<AgentPage>;
  /**
   * Writes the whole agent, except its last heartbeat, and logs the event, in one transaction, for the tenant of the context. False, and nothing
   * is written, unless the stored agent has the previous version (for version 1: unless there is none).
   */
  put(write: AgentWrite, context: ActionContext): Promise<boolean>;
  /** Records the time of the latest heartbeat, without logging it. False when the tenant has no such agent. */
  heartbeat(tenantId: string, id: string, atMs: number): Promise<boolean>;
  /** By address; those that were never called are absent. */
  outcomes(tenantId: string, uris: readonly string[]): Promise<readonly AgentOutcomesRow[]>;
  /** Adds a call of the agent at an address, without logging it. */
  recordOutcome(tenantId: string, outcome: AgentOutcome): Promise<void>;
  /**
   * Events whose target is the agent, and events whose actor has type `agent` and this name, in executions and on the control plane: newest first,
   * at most `limit`.
   */
  trace(
    tenantId: string,
    agent: { readonly id: string; readonly actorId: string },
    limit: number,
  ): Promise<readonly AgentTraceRow[]>;
}

/** `seq` is the sequence in the tenant's control log, or in the execution's log. */
export type TraceRow = Omit<AgentTraceRow, 'direction'> & { readonly seq: number };

/** Merges the parts of a trace, each given newest first. */
export function traceOf(
  { to, controlled, done }: Readonly<Record<'to' | 'controlled' | 'done', readonly TraceRow[]>>,
  limit: number,
): readonly AgentTraceRow[] {
  // An event whose actor and target are the same agent counts as `in`.
  const known = new Set(to.map((row) => row.seq));
  const rows = [
    ...to.map((row) => traced(row, 'in')),
    ...controlled.filter((row) => !known.has(row.seq)).map((row) => traced(row, 'out')),
    ...done.map((row) => traced(row, 'out')),
  ];
  return rows.sort((a, b) => b.atMs - a.atMs).slice(0, limit);
}

function traced({ seq: _, ...row }: TraceRow, direction: 'in' | 'out'): AgentTraceRow {
  return { ...row, direction };
}

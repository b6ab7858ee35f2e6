import type { ActionContext } from '../control.ts';

export const AGENT_STATUSES = ['registered', 'active', 'paused', 'deactivated', 'archived'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export interface AgentRow {
  /** The card's own; unique within the tenant. */
  readonly id: string;
  /** Ours; unique within the tenant, kept as long as the agent is known. */
  readonly uuid: string;
  readonly name: string;
  readonly status: AgentStatus;
  readonly statusSinceMs: number;
  /** JSON object text. */
  readonly card: string;
  /** 1 for a new agent; each logged change adds 1, a heartbeat does not. */
  readonly version: number;
  readonly registeredAtMs: number;
  readonly updatedAtMs: number;
  readonly lastHeartbeatAtMs: number | null;
}

export interface AgentWrite {
  readonly agent: Omit<AgentRow, 'lastHeartbeatAtMs'>;
  /** What it is found by, compared as they are: `skill:research`, `protocol:a2a` … */
  readonly traits: readonly string[];
  /** What the audit log keeps of it: type in snake_case, data as JSON object text. */
  readonly event: { readonly type: string; readonly data: string };
}

export interface AgentFilter {
  readonly status?: AgentStatus;
  /** All of them. */
  readonly traits: readonly string[];
  readonly limit: number;
  readonly offset: number;
}

/** Something on record about an agent. */
export interface AgentTraceRow {
  readonly atMs: number;
  /** `in`: it was done to the agent; `out`: the agent did it. */
  readonly direction: 'in' | 'out';
  readonly type: string;
  readonly actorId: string;
  /** Null for what is no part of an execution. */
  readonly executionId: string | null;
  readonly nodeId: string | null;
}

/** The agents of all tenants; each method is about one tenant's. */
export interface AgentStore {
  /** By id, else by uuid; null when the tenant has neither. */
  get(tenantId: string, idOrUuid: string): Promise<AgentRow | null>;
  /** The one registered last comes first; registering again does not move an agent. */
  list(tenantId: string, filter: AgentFilter): Promise<readonly AgentRow[]>;
  /**
   * Writes the agent as a whole (but for its last heartbeat) and logs the event, in one transaction, for the tenant of the context.
   * False, and nothing is written, unless the stored agent is of the version before this one (of none, for version 1).
   */
  put(write: AgentWrite, context: ActionContext): Promise<boolean>;
  /** Remembers the latest sign of life. A sign of life is no action: it is not logged. False when the tenant has no such agent. */
  heartbeat(tenantId: string, id: string, atMs: number): Promise<boolean>;
  /**
   * What was done to the agent, and what an actor of type `agent` and this name did, to executions and to the control plane: newest
   * first, at most `limit`.
   */
  trace(
    tenantId: string,
    agent: { readonly id: string; readonly actorId: string },
    limit: number,
  ): Promise<readonly AgentTraceRow[]>;
}

/** Of one kind of record, newest first. `seq` numbers the tenant's control events, and an execution's. */
export type TraceRow = Omit<AgentTraceRow, 'direction'> & { readonly seq: number };

/** A trace from its parts. The same for every engine. */
export function traceOf(
  { to, controlled, done }: Readonly<Record<'to' | 'controlled' | 'done', readonly TraceRow[]>>,
  limit: number,
): readonly AgentTraceRow[] {
  // What an agent did to itself was done to it.
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

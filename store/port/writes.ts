import type {
  Artifact,
  EventRow,
  ExecutionProgress,
  IdempotencyRow,
  InboxMessage,
  NewExecution,
  NewWorkItem,
  TokenRow,
} from './rows.ts';

export interface Batch {
  readonly atMs: number;
  readonly units: readonly CommitUnit[];
  /** Nobody else works on the database: nobody needs to be told. */
  readonly singleProcess?: boolean;
}

/** Applied or left out as a whole. */
export interface CommitUnit {
  readonly executions: readonly ExecutionWrite[];
  /** Remembers the request; the unit is refused (`idempotency`) when the key exists. */
  readonly idempotency: IdempotencyRow | null;
}

export interface CommitRejection {
  /**
   * `sequence`: the execution is not where the write started from (or exists already, for a new one) · `timer`: the fired
   * timer is not armed any more · `work`: the settled item is not open, or not under that fence · `inbox`: the consumed message is gone ·
   * `idempotency`: the key exists.
   */
  readonly reason: 'sequence' | 'timer' | 'work' | 'inbox' | 'idempotency';
  readonly executionId: string | null;
}

export interface ExecutionWrite {
  readonly id: string;
  readonly tenantId: string;
  /** The sequence the step started from; 0 creates the execution and needs `create`. */
  readonly fromSeq: number;
  readonly create: NewExecution | null;
  /** An execution that has ended goes on, with a new deadline. The deadline of any other stays as it is. A terminal head clears both. */
  readonly revive?: { readonly deadlineAtMs: number | null };
  readonly progress: ExecutionProgress;
  /** Null leaves the last checkpoint as it is. */
  readonly snapshot: string | null;
  /** Sequences fromSeq + 1 … head.seq. */
  readonly events: readonly EventRow[];
  /** Applied in order. */
  readonly timers: readonly TimerWrite[];
  readonly work: readonly WorkWrite[];
  readonly send: readonly InboxMessage[];
  /** Ids of inbox messages this commit acts on. */
  readonly consumed: readonly number[];
  /** What the nodes that completed report; null = nothing. */
  readonly usage: UsageWrite | null;
  /** What the events refer to instead of holding it; absent = nothing. Kept as long as the execution is. */
  readonly offloaded?: readonly Artifact[];
}

/** Added to the tenant's usage of a month. */
export interface UsageWrite {
  /** `2026-03`, in UTC. */
  readonly month: string;
  /** A whole number. */
  readonly tokens: number;
  readonly costUsd: number;
}

export type TimerWrite =
  | {
      readonly op: 'set';
      readonly id: string;
      readonly nodeId: string;
      readonly atMs: number;
      /** Sequence of the execution when it was armed: tells a re-armed timer from the one that fired. */
      readonly armedSeq: number;
    }
  /** Idempotent. */
  | { readonly op: 'clear'; readonly id: string }
  /** Like clear, but the unit is refused (`timer`) unless exactly this arming is there. */
  | { readonly op: 'fire'; readonly id: string; readonly armedSeq: number };

export type WorkWrite =
  | { readonly op: 'put'; readonly item: NewWorkItem }
  /** Closes an open (pending or claimed) item; with a fence only if claimed under it. Else the unit is refused (`work`). */
  | {
      readonly op: 'settle';
      readonly id: string;
      readonly fence: number | null;
      readonly status: 'completed' | 'failed' | 'dead_lettered' | 'cancelled';
    }
  /** Closes whatever item of that visit is open. Idempotent. */
  | { readonly op: 'cancel'; readonly nodeId: string; readonly activation: number };

export interface ActionContext {
  readonly tenantId: string;
  readonly atMs: number;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  readonly request: string | null;
}

export type ControlAction =
  | {
      readonly type: 'workflow_registered';
      readonly workflowId: string;
      readonly version: string;
      readonly revision: string;
      /** Canonical JSON text of the document. */
      readonly source: string;
    }
  | { readonly type: 'token_created'; readonly token: TokenRow }
  /** Rejects with `unknown_token`. */
  | { readonly type: 'token_revoked'; readonly id: string };

/** What the log keeps of an action: names, never a secret or its hash. */
export function controlData(action: ControlAction): string {
  switch (action.type) {
    case 'workflow_registered':
      return JSON.stringify({ workflow_id: action.workflowId, version: action.version, revision: action.revision });
    case 'token_created': {
      const { id, tenantId, name, role, expiresAtMs } = action.token;
      return JSON.stringify({ token_id: id, tenant_id: tenantId, name, role, expires_at_ms: expiresAtMs });
    }
    case 'token_revoked':
      return JSON.stringify({ token_id: action.id });
  }
}

import type { JsonObject } from '../../machines/json.ts';

/** An operation of a client at a given time; `of` is the id of the start operation of its execution. */
export type Operation = {
  readonly id: string;
  readonly atMs: number;
} & (
  | { readonly kind: 'start'; readonly workflow: string; readonly keyed: boolean }
  /** An operator suspends the tenant for a while. */
  | { readonly kind: 'suspend'; readonly forMs: number }
  /** Repeats the start request with the same idempotency key. */
  | { readonly kind: 'start again'; readonly of: string }
  | { readonly kind: 'event'; readonly of: string; readonly key: string; readonly keyed: boolean; readonly twice: boolean }
  | { readonly kind: 'approve'; readonly of: string; readonly decision: 'approved' | 'rejected'; readonly named: boolean }
  /** `more`: with larger budgets. */
  | { readonly kind: 'resume'; readonly of: string; readonly more: boolean }
  /** `node`: the id of a node. */
  | { readonly kind: 'enqueue'; readonly of: string; readonly node: string }
  /** `at`: the part of the log that is copied, from 0 to 1. `another`: into another version. */
  | {
      readonly kind: 'fork';
      readonly of: string;
      readonly at: number;
      readonly patched: boolean;
      readonly keepsDecisions: boolean;
      readonly another: boolean;
      readonly keyed: boolean;
    }
  /** Replays the log, and reads the state at a part of it, from 0 to 1. */
  | { readonly kind: 'inspect'; readonly of: string; readonly at: number }
  /** Follows what running attempts show. */
  | { readonly kind: 'watch'; readonly of: string; readonly forMs: number }
  /** `patient`: once the execution has failed. */
  | { readonly kind: 'retry'; readonly of: string; readonly patient: boolean }
  | { readonly kind: 'cancel' | 'pause' | 'read' | 'follow'; readonly of: string }
);

/** A fault and its time. `process` is the index of a runtime process; `nth` counts the commits of that process across restarts. */
export type Fault = { readonly id: string } & (
  | { readonly kind: 'crash'; readonly process: number; readonly atMs: number; readonly downMs: number }
  | { readonly kind: 'stop'; readonly process: number; readonly atMs: number; readonly downMs: number; readonly graceMs: number }
  | { readonly kind: 'freeze'; readonly process: number; readonly atMs: number; readonly forMs: number }
  /** The process freezes when it calls a tool for the `nth` time, until another process has started the next attempt, or for `forMs`. */
  | { readonly kind: 'freeze at work'; readonly process: number; readonly nth: number; readonly forMs: number }
  | { readonly kind: 'outage'; readonly process: number; readonly atMs: number; readonly forMs: number }
  /** The clock of the process jumps, forward or back, until the faults end. */
  | { readonly kind: 'clock jump'; readonly process: number; readonly atMs: number; readonly byMs: number }
  /** Replies to reads of the process take up to `upToMs`, so that they are outdated when they arrive. */
  | {
      readonly kind: 'slow reads';
      readonly process: number;
      readonly atMs: number;
      readonly forMs: number;
      readonly upToMs: number;
    }
  /** Two processes receive no notifications of each other. `gap`: they read the store when the partition ends. */
  | {
      readonly kind: 'partition';
      readonly process: number;
      readonly other: number;
      readonly atMs: number;
      readonly forMs: number;
      readonly gap: boolean;
    }
  /**
   * The database is damaged, and the processes restart: an event of an execution cannot be read until the faults end · the last snapshot of an
   * execution is one that a defect has made, with which no node can be visited. `which`, `part`: the execution and the event, from 0 to 1.
   */
  | {
      readonly kind: 'damage';
      readonly process: number;
      readonly atMs: number;
      readonly downMs: number;
      readonly what: 'event' | 'snapshot';
      readonly which: number;
      readonly part: number;
    }
  /**
   * The database returns to its state `lostMs` before: a standby without the last commits is promoted; a database of one process is restored from
   * a backup while the process is down.
   */
  | {
      readonly kind: 'set back';
      readonly process: number;
      readonly atMs: number;
      readonly lostMs: number;
      readonly downMs: number;
    }
  | {
      readonly kind: 'commit';
      readonly process: number;
      readonly nth: number;
      /**
       * `refused`: not applied, with an error · `crash before`, `crash after`: the process dies before the commit is sent, or after it is applied and
       * before the reply · `lost`: applied, but the reply is an error · `late`: the reply is an error, and the commit is applied afterwards ·
       * `slow`: the reply is slow · `dropped`: the connection breaks after COMMIT was sent, and the engine finds out, once the database is back,
       * whether it was applied · `contention`: serialization failures, after each of which the engine tries again.
       */
      readonly how: 'refused' | 'crash before' | 'crash after' | 'lost' | 'late' | 'slow' | 'dropped' | 'contention';
      readonly downMs: number;
    }
  /**
   * Notifications to that process in a time range: lost · delivered twice · delivered late, after those that were sent later · delivered again,
   * long after the first time.
   */
  | {
      readonly kind: 'notifications';
      readonly process: number;
      readonly atMs: number;
      readonly forMs: number;
      readonly how: 'lost' | 'twice' | 'late' | 'again';
    }
);

/** Everything about a simulation that is not drawn while it runs. A function of the seed and of the excluded parts. */
export interface Plan {
  readonly seed: number;
  /** Several runtimes on one database, or one at a time. */
  readonly shared: boolean;
  /** Processes only freeze, for less than their lease, or crash; the others take over in time. */
  readonly silence: boolean;
  readonly processes: readonly { readonly skewMs: number; readonly tools: readonly string[] }[];
  /** `parts`: nodes and features that can be excluded. */
  readonly workflows: readonly { readonly id: string; readonly document: JsonObject; readonly parts: readonly string[] }[];
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
  /** External workers. */
  readonly workers: readonly string[];
  /** When faults end, and clients and workers behave. */
  readonly faultsEndAtMs: number;
  /** Delays of requests and replies; `slow` is the probability of a slow one. */
  readonly latency: { readonly usualMs: number; readonly slowMs: number; readonly slow: number };
  readonly options: {
    readonly stepLimit: number;
    readonly concurrency: number;
    readonly cacheBytes: number;
    readonly artifactThresholdBytes: number;
    readonly checkpointLogBytes: number;
    /** How long work waits for a slot, and children for capacity. */
    readonly maxSlotWaitMs: number;
    /** Live executions of the tenant, at most; null = no limit. */
    readonly maxLive: number | null;
    /** The policy of the tenant; null = none. */
    readonly tenantPolicy: JsonObject | null;
  };
}

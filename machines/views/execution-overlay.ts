import type { EndStatus } from '../history/history.ts';
import type { VisitItems, VisitStatus } from '../history/node-visit.ts';

/** As in the API. `paused`: suspended by an operator, or everything in progress waits for a person, an event, a timer or a paused child. */
export type ExecutionStatus = 'pending' | 'running' | 'paused' | EndStatus;

/** Status of the last visit to a node. `held`: awaits an approval that a policy requires, or is deferred by an operator's pause. */
export type NodeStatus = VisitStatus;

/** The overlay of one node. */
export interface NodeOverlay {
  readonly status: NodeStatus;
  /** How often it was visited. 0 = it was skipped, or is deferred before its first visit. */
  readonly visits: number;
  /** Failed attempts that were retried, of all visits. */
  readonly retries: number;
  readonly sinceMs: number | null;
  /** From the beginning of the last visit to its end; null while it lasts, and for control nodes. */
  readonly durationMs: number | null;
  /** How far the last visit is, or was, with the items of its list; null = it has none. */
  readonly items: VisitItems | null;
  /** Error of the last attempt that failed. */
  readonly error: string | null;
}

/** The states of a machine of an author, by their ids: `open.waiting`. */
export interface MachineOverlay {
  readonly status: ExecutionStatus;
  /** In which it is, or has ended, and since when, in milliseconds since 1970. */
  readonly active: ReadonlyMap<string, number>;
  /** How often it has come to rest in each of them. */
  readonly entered: ReadonlyMap<string, number>;
}

/** What a log says about an execution, up to one of its events. */
export interface ExecutionOverlay {
  readonly status: ExecutionStatus;
  /** Is the execution suspended by an operator? */
  readonly suspended: boolean;
  /** Sequence of the last event; 0 = none. */
  readonly sequence: number;
  readonly startedAtMs: number | null;
  /** Time of the last event. */
  readonly atMs: number | null;
  readonly ended: boolean;
  /** Why the execution failed; null = it has not. */
  readonly error: string | null;
  readonly nodes: ReadonlyMap<string, NodeOverlay>;
  /** By node: the state machines that nodes run. */
  readonly machines: ReadonlyMap<string, MachineOverlay>;
  /** How often each edge of the graph was taken, by its index. */
  readonly taken: readonly number[];
  /** Has it gone to the node for budgets (`on_budget_exceeded`), to which no edge has led it? */
  readonly rerouted: boolean;
}

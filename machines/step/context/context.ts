import type { AutonomyCounts } from '../../autonomy.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Budgets, UsageTotals } from '../../messages.ts';
import type { EndStatus } from '../../program/parameters.ts';
import type { ActiveVisits } from './active-visits.ts';

/** A buffered external event: no node has waited for it yet. */
export interface EarlyEvent {
  readonly key: string;
  readonly payload: Json;
  readonly sequence: number;
}

/** An operator has paused the execution: nothing new begins. */
export interface Suspension {
  readonly reason: string | null;
  /** Nodes that were reached, or whose next attempt is due, in document order. They begin with `resume`. */
  readonly deferred: readonly string[];
}

/**
 * An output that has reached a node which reads it. Kept in the order of completion. `key`: the state key that it was written to as well,
 * or null; absent = the `output_key` of its source.
 */
export type PendingInput = readonly [source: string, output: Json, key?: string | null];

/** Progress of a subgraph that is entered. */
export interface SubgraphState {
  /** One `EdgeState` per edge. */
  readonly edges: string;
  /** One `NodeState` per node. */
  readonly nodes: string;
  /** Number of nodes that run. */
  readonly running: number;
}

/** What the last attempt at a node took; null = not known. */
export type Measure = readonly [durationMs: number | null, costUsd: number | null];

/** Why a run leaves its graph before it has come to an end. */
export type Halt =
  | { readonly status: 'failed'; readonly error: string }
  /** `continuedAs`: the execution that continues it. */
  | {
      readonly status: 'limit_exceeded';
      readonly error: string | null;
      readonly continuedAs?: string;
      /** The node at which it continues; absent = at the start. */
      readonly at?: string;
      /** What the durable function there is given. */
      readonly input?: Json;
    }
  /** It does not end, but continues at the node for budgets; `node` exceeded the budget, null = an operator has resumed it. */
  | { readonly status: 'rerouted'; readonly error: string; readonly node: string | null };

/** How an execution is about to end, while nodes that run before its end do. */
export interface Ending {
  readonly status: EndStatus;
  /** Why it failed or was cancelled. */
  readonly error: string | null;
  /** The nodes that have yet to begin, in order. */
  readonly left: readonly string[];
  /** In a replay: a later retry undoes this end, so that its events are passed over. */
  readonly undone?: true;
}

/**
 * The extended state of the machine (XState: its context), as it is stored. Its size depends on the workflow and on what the nodes read,
 * never on how long the execution has been running. Records are keyed by node, fork or subgraph.
 */
export interface Context {
  /** Stored beside the snapshot, because it never changes. */
  readonly input: Json;
  /** Values of the `env` root that conditions read, as they were when the execution started. */
  readonly env: Readonly<Record<string, string>>;
  /** Which segment of a chain of executions it is (`continue_as_new`); absent = 0, the first. */
  readonly segment?: number;
  /** The execution that continues it; absent = none. */
  readonly continuedAs?: string;
  /** When it begins, in milliseconds since 1970; absent = it was not started for later. */
  readonly startAtMs?: number;
  /** Node completions after which the execution fails. */
  readonly stepLimit: number;
  readonly state: JsonObject;
  /** Node completions so far. */
  readonly steps: number;
  /** Failures that were handled by a fallback. */
  readonly handledFailures: number;
  readonly active: ActiveVisits;
  /** How often a node was run or skipped; only for nodes in loops and nodes that were retried, since the others are visited once. */
  readonly visits: Readonly<Record<string, number>>;
  readonly earlyEvents: readonly EarlyEvent[];
  /** Nodes that failed for good, without a handler. */
  readonly failures: readonly string[];
  /** Nodes that had failed so before a budget sent the execution elsewhere. No retry resets these failures; absent = there are none. */
  readonly abandoned?: readonly string[];
  /** Branches of an entered fork that have arrived at its join, ended before it, or failed. */
  readonly forks: Readonly<Record<string, readonly [joined: number, ended: number, failed: number]>>;
  readonly subgraphs: Readonly<Record<string, SubgraphState>>;
  /** Outputs that have reached nodes which read them and have not begun. */
  readonly pendingInputs: Readonly<Record<string, readonly PendingInput[]>>;
  /** Events that have a list of the state whole to which later ones append, by JSON pointer; absent = there is none. */
  readonly lists?: Readonly<Record<string, number>>;
  readonly usage: UsageTotals | null;
  /** How much of it the executions that this one continues have used; absent = nothing. */
  readonly usedBefore?: UsageTotals;
  /** What a durable function is given when it begins, as the function that it continues has said. */
  readonly continuedInput?: { readonly node: string; readonly input: Json } | undefined;
  /** Size of its log without its start, in characters; only of a workflow with a limit for it. */
  readonly logChars?: number;
  /** What agents with limits have done, by node; absent = there are none. */
  readonly autonomy?: Readonly<Record<string, AutonomyCounts>>;
  /** Budgets set by `resume`; they take precedence over the workflow's. */
  readonly budgets?: Budgets;
  /** How often nodes have sent the work before them back since they were reached from elsewhere; absent = none has. */
  readonly evalRetries?: Readonly<Record<string, number>>;
  /** What the work before scoring nodes took, by scoring node and working node; absent = nothing is scored by it. */
  readonly measures?: Readonly<Record<string, Readonly<Record<string, Measure>>>>;
  /** How far the workflow's strategy is; absent = it has none, or no iteration has begun. */
  readonly strategy?: StrategyProgress;
  /** Null = the execution is not suspended by an operator. */
  readonly suspension: Suspension | null;
  /** Null = the execution is not about to end. */
  readonly ending: Ending | null;
  /** Why the execution failed or was cancelled. */
  readonly error: string | null;
}

/** The iteration of a strategy that goes on, and what the execution had used when it began. */
export interface StrategyProgress {
  /** Iterations that have begun. */
  readonly begun: number;
  /** The node that began it; null = it is over. */
  readonly node: string | null;
  readonly iteration: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
}

export function freshContext(input: Json, env: Readonly<Record<string, string>>, limit: number, active: ActiveVisits): Context {
  return {
    input,
    env,
    stepLimit: limit,
    state: input !== null && typeof input === 'object' && !Array.isArray(input) ? (input as JsonObject) : {},
    steps: 0,
    handledFailures: 0,
    active,
    visits: {},
    earlyEvents: [],
    failures: [],
    forks: {},
    subgraphs: {},
    pendingInputs: {},
    usage: null,
    suspension: null,
    ending: null,
    error: null,
  };
}

/** The totals with those that are given in their place. */
export function mergeBudgets(before: Budgets | undefined, { token_budget, cost_budget_usd }: Budgets): Budgets {
  return {
    token_budget: token_budget === null ? (before?.token_budget ?? null) : Object.assign({}, before?.token_budget, token_budget),
    cost_budget_usd: cost_budget_usd ?? before?.cost_budget_usd ?? null,
  };
}

/** An own entry of a record keyed by names that users chose, such as `toString`. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The output that reached a node: that of the predecessor that completed last. */
export function lastInputOf(context: Context, node: string): Json {
  return own(context.pendingInputs, node)?.at(-1)?.[1] ?? null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type RecordKey = 'visits' | 'forks' | 'subgraphs' | 'pendingInputs';

/** What a step makes of the stored context: it shares what the step does not change, and copies once what it does. */
export class Draft {
  readonly now: Mutable<Context>;
  readonly #stored: Context;

  constructor(stored: Context) {
    this.#stored = stored;
    this.now = { ...stored };
  }

  set(change: Partial<Context>): void {
    Object.assign(this.now, change);
  }

  /** The record of the step, to be changed in place. */
  record<K extends RecordKey>(key: K): Record<string, Context[K][string]> {
    if (this.now[key] === this.#stored[key]) this.now[key] = { ...this.#stored[key] };
    return this.now[key] as Record<string, Context[K][string]>;
  }
}

import { FIRST_LANGUAGE } from '../expression/syntax-tree.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Budgets } from '../messages.ts';
import type { Phase } from '../run.ts';
import { FIRST_RULES } from './rules.ts';

/** A node that is neither idle nor finished. */
export interface ActiveVisit {
  readonly activation: number;
  readonly attempt: number;
  readonly phase: Phase;
  /** Sequence of the event by which it began to wait, or failed (held, approval, waiting, failed only). */
  readonly since?: number;
  readonly atMs?: number;
  /** Done in process (queued, running). */
  readonly local?: true;
  /** Correlation key of the external event it waits for. */
  readonly key?: string;
  /** Its child execution. */
  readonly child?: string;
  /** Is that child paused? */
  readonly paused?: true;
  /** What a person is asked to decide, rendered. */
  readonly description?: string;
}

/** An external event nobody waited for yet. */
export interface EarlyEvent {
  readonly key: string;
  readonly payload: Json;
  readonly sequence: number;
}

/** An operator's hold. */
export interface Suspension {
  readonly reason: string | null;
  /** Nodes that were reached, or whose next attempt is due, in the order in which they were written. */
  readonly kept: readonly string[];
}

/** Who gave an output, and the output. In the order of completion. */
export type PendingInput = readonly [source: string, output: Json];

/** Progress of a subgraph that is entered. */
export interface SubgraphState {
  /** One `EdgeState` per edge. */
  readonly marks: string;
  /** One `NodeState` per node. */
  readonly nodes: string;
  /** Number of nodes that run. */
  readonly running: number;
}

/** Sums of what nodes reported. */
export interface UsageTotals {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
}

/** Why a run ends before its graph does. */
export interface Halt {
  readonly status: 'failed' | 'limit_exceeded';
  readonly error: string | null;
}

/**
 * What a machine knows besides where it stands. Its size depends on the workflow and on what its nodes read, never on how long
 * it has been running. Keyed by node, fork and section.
 */
export interface Context {
  /** Kept beside the stored snapshot, because it never changes. */
  readonly input: Json;
  /** Values of the `env` root as conditions see them, from the start of the execution. */
  readonly env: Readonly<Record<string, string>>;
  /** The language in which conditions and texts are read (`LANGUAGE`); absent = the first. */
  readonly language?: number;
  /** The rules it follows (`RULES`); absent = the first. */
  readonly rules?: number;
  /** Which of the layouts of its sections a snapshot stands in (`Section.layout`); absent = the first. */
  readonly layout?: number;
  /** Completions after which the run fails. */
  readonly limit: number;
  readonly state: JsonObject;
  /** Completed nodes. */
  readonly steps: number;
  /** Failures that a fallback took over. */
  readonly handled: number;
  readonly active: Readonly<Record<string, ActiveVisit>>;
  /** How often a node was run or skipped; only of nodes in loops and of those that were retried, the others are visited once. */
  readonly visits: Readonly<Record<string, number>>;
  readonly early: readonly EarlyEvent[];
  /** Nodes that failed for good, unhandled. */
  readonly failures: readonly string[];
  /** Branches that have arrived: joined, ended, failed. */
  readonly forks: Readonly<Record<string, readonly [joined: number, ended: number, failed: number]>>;
  readonly sections: Readonly<Record<string, SubgraphState>>;
  /** Outputs on their way to nodes that read them. */
  readonly fed: Readonly<Record<string, readonly PendingInput[]>>;
  readonly used: UsageTotals | null;
  /** Set by `resume`, in place of the workflow's. */
  readonly budgets?: Budgets;
  /** Nothing begins while an operator holds the execution; null otherwise. */
  readonly hold: Suspension | null;
  /** Why the run failed or was cancelled. */
  readonly error: string | null;
}

export const DEFAULT_STEP_LIMIT = 10_000;

export function freshContext(input: Json, env: Readonly<Record<string, string>>, limit: number): Context {
  return {
    input,
    env,
    limit,
    state: input !== null && typeof input === 'object' && !Array.isArray(input) ? (input as JsonObject) : {},
    steps: 0,
    handled: 0,
    active: {},
    visits: {},
    early: [],
    failures: [],
    forks: {},
    sections: {},
    fed: {},
    used: null,
    hold: null,
    error: null,
  };
}

export function languageOf(context: Context): number {
  return context.language ?? FIRST_LANGUAGE;
}

export function rulesOf(context: Context): number {
  return context.rules ?? FIRST_RULES;
}

/** An entry of a record keyed by names that users chose: `toString` is nobody's node unless it is there. */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The output that reached a node: that of the predecessor that completed last. */
export function lastInputOf(context: Context, node: string): Json {
  return own(context.fed, node)?.at(-1)?.[1] ?? null;
}

/** Nodes with in-process work under way, children being started included. */
export function localWorkOf(context: Context): number {
  let count = 0;
  for (const node in context.active) if (own(context.active, node)?.local === true) count += 1;
  return count;
}

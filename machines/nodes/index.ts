import { condition } from './condition.ts';
import { durableFunction } from './durable-function.ts';
import { evaluation } from './eval.ts';
import { finalizer } from './finalizer.ts';
import { humanApproval } from './human-approval.ts';
import { join } from './join.ts';
import type { Behaviour, KindDefinition } from './kind.ts';
import { limitExceeded } from './limit-exceeded.ts';
import { map } from './map.ts';
import { parallel } from './parallel.ts';
import { policy } from './policy.ts';
import { subgraph } from './subgraph.ts';
import { wait } from './wait.ts';
import { WORK_KINDS } from './work-kinds.ts';

/** The registry of node kinds: the only list of them. */
export const KINDS = {
  ...WORK_KINDS,
  condition,
  parallel,
  join,
  human_approval: humanApproval,
  wait,
  subgraph,
  map,
  eval: evaluation,
  limit_exceeded: limitExceeded,
  finalizer,
  policy,
  durable_function: durableFunction,
} as const;

export type KindName = keyof typeof KINDS;

/** A node's kind in normal form. */
export type Kind = ReturnType<(typeof KINDS)[KindName]['normalise']>;

export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

/** Other names for kinds. */
export const KIND_ALIASES: Readonly<Record<string, KindName>> = { branch: 'condition' };

export function definitionOf(kind: Kind): KindDefinition<Kind> {
  return definitionNamed(kind.type);
}

export function definitionNamed(name: KindName): KindDefinition<Kind> {
  return KINDS[name];
}

/** The state key that the author named for a node's output; null = none. */
export function outputKeyOf(kind: Kind): string | null {
  return 'output_key' in kind && kind.output_key !== undefined ? kind.output_key : null;
}

/** The fields of a node's output with the state keys that receive them; null = none are named. */
export function outputFieldsOf(kind: Kind): readonly (readonly [field: string, key: string])[] | null {
  return 'output_to_state' in kind && kind.output_to_state !== undefined ? Object.entries(kind.output_to_state) : null;
}

/** The kind that does a piece of the node's work: its own, or that of its items. */
export function workKindOf(kind: Kind): Kind {
  return (definitionOf(kind).itemWork(kind)?.work as Kind | undefined) ?? kind;
}

/** That of the kind which does a piece of the node's work. */
export function workBehaviourOf(kind: Kind): Behaviour {
  const work = workKindOf(kind);
  return definitionOf(work).behaviour(work);
}

/** Does the node do the same work for every item of a list? Then policies hold its items, each by itself. */
export function doesItems(kind: Kind): boolean {
  return definitionOf(kind).behaviour(kind) === 'items';
}

/** Does a child execution do the node's work, or a piece of it? A durable function has calls as pieces. */
export function runsChild(kind: Kind, item?: number): boolean {
  return workBehaviourOf(kind) === 'child' || (item !== undefined && definitionOf(kind).keepsJournal);
}

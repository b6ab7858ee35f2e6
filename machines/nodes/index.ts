import { type Condition, condition } from './condition.ts';
import { type Http, http } from './http.ts';
import { type HumanApproval, humanApproval } from './human-approval.ts';
import { type JavaFn, javaFn } from './java-fn.ts';
import { type Join, join } from './join.ts';
import type { KindDefinition } from './kind.ts';
import { type LimitExceeded, limitExceeded } from './limit-exceeded.ts';
import { type Parallel, parallel } from './parallel.ts';
import { type PythonFn, pythonFn } from './python-fn.ts';
import { type Subgraph, subgraph } from './subgraph.ts';
import { type Tool, tool } from './tool.ts';
import { type Wait, wait } from './wait.ts';

/** A node's kind in normal form. */
export type Kind =
  | Tool
  | Http
  | PythonFn
  | JavaFn
  | Condition
  | Parallel
  | Join
  | HumanApproval
  | Wait
  | Subgraph
  | LimitExceeded;
export type KindName = Kind['type'];

/** Every kind of node there is. */
export const KINDS: { readonly [N in KindName]: KindDefinition<Extract<Kind, { type: N }>> } = {
  tool,
  http,
  python_fn: pythonFn,
  java_fn: javaFn,
  condition,
  parallel,
  join,
  human_approval: humanApproval,
  wait,
  subgraph,
  limit_exceeded: limitExceeded,
};

export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

/** Other names for kinds. */
export const KIND_ALIASES: Readonly<Record<string, KindName>> = { branch: 'condition' };

/** Kinds of the wider language that this runtime does not run. */
export const UNAVAILABLE_KINDS: ReadonlySet<string> = new Set([
  'model',
  'agent',
  'mcp_tool',
  'a2a_task',
  'eval',
  'coordinator',
  'agent_tool',
  'policy',
  'finalizer',
  'memory_retrieval',
  'agent_discovery',
]);

export function definitionOf(kind: Kind): KindDefinition<Kind> {
  return KINDS[kind.type];
}

import type { Graph } from '../graph/graph.ts';
import type { Node } from '../ir/workflow.ts';
import { definitionOf, type Kind } from '../nodes/index.ts';
import { BACKOFF, backoffStateId, reviewStateId, stateId, timerId } from './state-ids.ts';

/** The node and the purpose of a durable timer. */
export interface TimerPurpose {
  readonly node: string;
  /** `attempt`: of a finalizer that an external worker is to do. */
  readonly kind: 'retry' | 'wait' | 'approval' | 'attempt';
}

/** All timers that a machine can set, by id. */
export function timersOf(graph: Graph): ReadonlyMap<string, TimerPurpose> {
  const timers = new Map<string, TimerPurpose>();
  for (const index of [...graph.reachable, ...graph.finalizers]) {
    const { id: node, kind } = graph.node(index);
    const name = stateId(node);
    const attemptMs = attemptTimeoutMs(graph.node(index));
    if (attemptMs !== null) timers.set(timerId(attemptMs, name), { node, kind: 'attempt' });
    timers.set(timerId(BACKOFF, backoffStateId(name)), { node, kind: 'retry' });
    const parked = parkTimer(kind, node);
    if (parked !== null)
      timers.set(parked.id, { node, kind: definitionOf(kind).behaviour(kind) === 'wait' ? 'wait' : 'approval' });
  }
  return timers;
}

/** The timer of a node that parks, or whose scores a person reviews; null = its time is not limited. */
export function parkTimer(kind: Kind, node: string): { readonly id: string; readonly ms: number } | null {
  const reviewMs = definitionOf(kind).scoring(kind)?.reviewTimeoutMs ?? null;
  if (reviewMs !== null) return { id: timerId(reviewMs, reviewStateId(stateId(node))), ms: reviewMs };
  const parkedMs = definitionOf(kind).parkTimeoutMs(kind);
  return parkedMs === null ? null : { id: timerId(parkedMs, stateId(node)), ms: parkedMs };
}

/** Milliseconds after which an attempt of a finalizer is over, whether or not a worker has claimed it; null = the node is none. */
export function attemptTimeoutMs({ kind, timeout_secs }: Node): number | null {
  return definitionOf(kind).runsAtEnd(kind) === null || timeout_secs === null ? null : Math.ceil(timeout_secs * 1_000);
}

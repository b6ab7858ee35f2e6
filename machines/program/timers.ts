import type { Graph } from '../graph/graph.ts';
import { definitionOf, type Kind } from '../nodes/index.ts';
import { BACKOFF, backoffStateId, reviewStateId, stateId, timerId } from './state-ids.ts';

/** The node and the purpose of a durable timer. */
export interface TimerPurpose {
  readonly node: string;
  readonly kind: 'retry' | 'wait' | 'approval';
}

/** All timers that a machine can set, by id. */
export function timersOf(graph: Graph): ReadonlyMap<string, TimerPurpose> {
  const timers = new Map<string, TimerPurpose>();
  for (const index of graph.reachable) {
    const { id: node, kind } = graph.node(index);
    const name = stateId(node);
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

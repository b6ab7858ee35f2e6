import type { Graph } from '../graph/graph.ts';
import { definitionOf } from '../nodes/index.ts';
import { BACKOFF, backoffStateId, stateId, timerId } from './state-ids.ts';

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
    const parkedMs = definitionOf(kind).parkTimeoutMs(kind);
    if (parkedMs !== null)
      timers.set(timerId(parkedMs, name), { node, kind: definitionOf(kind).behaviour(kind) === 'wait' ? 'wait' : 'approval' });
  }
  return timers;
}

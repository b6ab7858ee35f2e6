import type { Graph } from '../graph/graph.ts';
import type { Kind } from '../nodes/index.ts';
import { BACKOFF, backoffStateId, stateId, timerId } from './state-ids.ts';

/** What a durable timer is for. */
export interface TimerPurpose {
  readonly node: string;
  readonly kind: 'retry' | 'wait' | 'approval';
}

/** How long a node stays parked at most; null = as long as it takes. */
export function parkTimeoutMs(kind: Kind): number | null {
  if (kind.type !== 'human_approval' && kind.type !== 'wait') return null;
  return kind.timeout_secs === undefined ? null : Math.round(kind.timeout_secs * 1000);
}

/** Every timer a machine can ask for, by id. */
export function timersOf(graph: Graph): ReadonlyMap<string, TimerPurpose> {
  const timers = new Map<string, TimerPurpose>();
  for (const index of graph.reachable) {
    const { id: node, kind } = graph.node(index);
    const name = stateId(node);
    timers.set(timerId(BACKOFF, backoffStateId(name)), { node, kind: 'retry' });
    const parkedMs = parkTimeoutMs(kind);
    if (parkedMs !== null) timers.set(timerId(parkedMs, name), { node, kind: kind.type === 'wait' ? 'wait' : 'approval' });
  }
  return timers;
}

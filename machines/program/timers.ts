import type { Graph } from '../graph/graph.ts';
import type { Node } from '../ir/workflow.ts';
import { definitionOf, type Kind } from '../nodes/index.ts';
import type { Behaviour } from '../nodes/kind.ts';
import type { TimerKind } from '../run.ts';
import { BACKOFF, backoffStateId, PARKED, reviewStateId, START_TIMER, stateId, timerId } from './state-ids.ts';

/** The node and the purpose of a durable timer. */
export interface TimerPurpose {
  readonly node: string;
  readonly kind: TimerKind;
  /** Which piece of the node's work it is for; absent = the node has only one, or it is for all. */
  readonly item?: number;
}

/** The timer of a node for one of its items. State ids, with which the ids of timers end, have no "#". */
export function itemTimerId(id: string, item: number): string {
  return `${id}#${item}`;
}

/** Undefined = no machine of the program sets such a timer. */
export function timerPurpose(timers: ReadonlyMap<string, TimerPurpose>, id: string): TimerPurpose | undefined {
  if (id === START_TIMER) return { node: '', kind: 'start' };
  const at = id.lastIndexOf('#');
  if (at < 0) return timers.get(id);
  const purpose = timers.get(id.slice(0, at));
  return purpose === undefined ? undefined : { item: Number(id.slice(at + 1)), ...purpose };
}

/** The id of the timer after which the next attempt begins. */
export function retryTimerId(node: string, item?: number): string {
  const id = timerId(BACKOFF, backoffStateId(stateId(node)));
  return item === undefined ? id : itemTimerId(id, item);
}

/** All timers that a machine can set, by id. */
export function timersOf(graph: Graph): ReadonlyMap<string, TimerPurpose> {
  const timers = new Map<string, TimerPurpose>();
  for (const index of [...graph.reachable, ...graph.finalizers]) {
    const { id: node, kind } = graph.node(index);
    const name = stateId(node);
    const attemptMs = attemptTimeoutMs(graph.node(index));
    if (attemptMs !== null) timers.set(timerId(attemptMs, name), { node, kind: 'attempt' });
    timers.set(retryTimerId(node), { node, kind: 'retry' });
    const parked = parkTimer(kind, node);
    if (parked !== null)
      timers.set(parked.id, { node, kind: PURPOSE_OF_PARKING[definitionOf(kind).behaviour(kind)] ?? 'approval' });
  }
  return timers;
}

export interface ParkTimer {
  readonly id: string;
  /** Null = until the time that the template of the node gives. */
  readonly ms: number | null;
}

const PURPOSE_OF_PARKING: Readonly<Partial<Record<Behaviour, TimerPurpose['kind']>>> = { wait: 'wait', items: 'items' };

/** The timer of a node that parks, that works on a list, or whose scores a person reviews; null = its time is not limited. */
export function parkTimer(kind: Kind, node: string): ParkTimer | null {
  const reviewMs = definitionOf(kind).scoring(kind)?.reviewTimeoutMs ?? null;
  if (reviewMs !== null) return { id: timerId(reviewMs, reviewStateId(stateId(node))), ms: reviewMs };
  const timeout = definitionOf(kind).parkTimeout(kind);
  if (timeout === null) return null;
  if (timeout === 'template') return { id: timerId(PARKED, stateId(node)), ms: null };
  return { id: timerId(timeout, stateId(node)), ms: timeout };
}

/** Milliseconds after which an attempt of a finalizer is over, whether or not a worker has claimed it; null = the node is none. */
export function attemptTimeoutMs({ kind, timeout_secs }: Node): number | null {
  return definitionOf(kind).runsAtEnd(kind) === null || timeout_secs === null ? null : Math.ceil(timeout_secs * 1_000);
}

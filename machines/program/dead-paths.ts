import { at } from '../graph/at.ts';
import { BitSet } from '../graph/bit-set.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Loop } from '../graph/loops.ts';
import type { SubgraphPlan } from './plan.ts';

const NO_NODES: ReadonlySet<number> = new Set();

/**
 * The nodes that a single token at one of `positions` can still reach. Exits of a loop stay reachable while the loop can iterate
 * again: an exit that was not taken in this iteration may be taken in the next. `exhausted` nodes start no further iteration.
 */
export function stillReachable(graph: Graph, positions: readonly number[], exhausted: ReadonlySet<number> = NO_NODES): BitSet {
  const reachable = new BitSet(graph.nodes.length);
  for (const position of positions) {
    reachable.add(position);
    reachable.addAll(graph.descendants(position));
  }
  // Other loops ahead are entered by their head, so their exits are descendants already.
  const loopsToClose = new Set<Loop>(positions.flatMap((position) => graph.enclosingLoops(position)));
  for (let grown = true; grown; ) {
    grown = false;
    for (const loop of loopsToClose) {
      if (!graph.iterationDeciders(loop).some((source) => reachable.has(source) && !exhausted.has(source))) continue;
      loopsToClose.delete(loop);
      grown = true;
      for (const edge of loop.exits) {
        reachable.add(edge.to);
        reachable.addAll(graph.descendants(edge.to));
      }
    }
  }
  return reachable;
}

/** The nodes that are skipped when a token leaves `node` for `to`. */
export function skippedAfter(graph: Graph, node: number, to: readonly number[], within: BitSet | null): BitSet {
  const skipped = stillReachable(graph, [node]);
  skipped.remove(node);
  skipped.removeAll(stillReachable(graph, to));
  if (within !== null) skipped.retainAll(within);
  return skipped;
}

/** The nodes outside a subgraph that are skipped when it is left for `to`: those that an enclosing loop could have reached. */
export function skippedAround(graph: Graph, subgraph: SubgraphPlan, to: readonly number[], within: BitSet | null): BitSet {
  const skipped = stillReachable(graph, entryNodes(graph, subgraph));
  for (const node of subgraph.nodes) skipped.remove(node);
  skipped.removeAll(stillReachable(graph, to));
  if (within !== null) skipped.retainAll(within);
  return skipped;
}

/** The nodes outside a subgraph that are skipped while it runs, because its `exhausted` nodes start no further iteration. */
export function skippedWhileInside(
  graph: Graph,
  subgraph: SubgraphPlan,
  exhausted: ReadonlySet<number>,
  within: BitSet | null,
): BitSet {
  const entered = entryNodes(graph, subgraph);
  const skipped = stillReachable(graph, entered);
  skipped.removeAll(stillReachable(graph, entered, exhausted));
  if (within !== null) skipped.retainAll(within);
  return skipped;
}

function entryNodes(graph: Graph, { entries }: SubgraphPlan): number[] {
  return entries.filter((edge) => edge.to !== END && !graph.backEdges.has(edge)).map((edge) => edge.to);
}

/** The nodes that are skipped when no token reaches `join`: the join and what only it leads to. */
export function skippedFrom(graph: Graph, join: number, within: BitSet | null): BitSet {
  const skipped = stillReachable(graph, [join]);
  if (within !== null) skipped.retainAll(within);
  return skipped;
}

/**
 * The order in which pending nodes are skipped: predecessors first, exits of a loop after its back edges, then in document order.
 * The control node that the step has reached takes part in the order, and the sequence ends at it; `from` is the node whose live
 * edge has reached it.
 */
export function* skipOrder(
  graph: Graph,
  pending: ReadonlySet<number>,
  control: { readonly node: number; readonly from: number | null } | null,
): Generator<number> {
  const blockers = new Map<number, number>();
  const blocks = new Map<number, number[]>();
  for (const node of control === null ? pending : [...pending, control.node]) {
    // A first-wins join waits for no other source once one has reached it.
    const blocking =
      node === control?.node && graph.isFirstJoin(node)
        ? new Set<number>()
        : blockersOf(graph, node, pending, node === control?.node ? control.from : null);
    blockers.set(node, blocking.size);
    for (const blocker of blocking) blocks.set(blocker, [...(blocks.get(blocker) ?? []), node]);
  }
  const ready = [...blockers].flatMap(([node, count]) => (count === 0 ? [node] : [])).sort((a, b) => a - b);
  for (let node = ready.shift(); node !== undefined && node !== control?.node; node = ready.shift()) {
    yield node;
    for (const freed of blocks.get(node) ?? []) {
      const left = (blockers.get(freed) ?? 0) - 1;
      blockers.set(freed, left);
      if (left > 0) continue;
      let index = ready.length;
      while (index > 0 && at(ready, index - 1) > freed) index -= 1;
      ready.splice(index, 0, freed);
    }
  }
}

/**
 * Pending nodes that must be skipped before `node` is decided. Loop exits count as dead only after the loop can no longer iterate; a live
 * exit counts at once.
 */
function blockersOf(graph: Graph, node: number, pending: ReadonlySet<number>, liveFrom: number | null): Set<number> {
  const blocking = new Set<number>();
  // Of several edges from the same node, at most one is live.
  const from = graph.forwardIn(node).filter((edge) => edge.from === liveFrom);
  const live = from.length === 1 ? from[0] : undefined;
  for (const edge of graph.forwardIn(node)) {
    if (pending.has(edge.from)) blocking.add(edge.from);
    if (edge === live) continue;
    for (const loop of graph.enclosingLoops(edge.from)) {
      if (loop.body.has(node)) continue;
      for (const source of graph.iterationDeciders(loop)) if (pending.has(source)) blocking.add(source);
    }
  }
  return blocking;
}

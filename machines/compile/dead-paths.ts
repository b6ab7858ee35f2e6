import { at } from '../graph/at.ts';
import { BitSet } from '../graph/bit-set.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Loop } from '../graph/loops.ts';
import type { SubgraphPlan } from './plan/plan.ts';

const NO_NODES: ReadonlySet<number> = new Set();

/**
 * Which nodes a lone token at one of `places` can still come to. What lies behind a loop stays possible while the loop can go
 * round again: an edge that leaves it and was not taken this time may be taken next time. From `spent` nodes no loop goes round any more.
 */
export function stillReachable(graph: Graph, positions: readonly number[], exhausted: ReadonlySet<number> = NO_NODES): BitSet {
  const reachable = new BitSet(graph.nodes.length);
  for (const place of positions) {
    reachable.add(place);
    reachable.addAll(graph.descendants(place));
  }
  // Any other loop that is still ahead is entered by its head, and then its exits are ahead too.
  const loopsToClose = new Set<Loop>(positions.flatMap((place) => graph.enclosingLoops(place)));
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

/** What is skipped when a token leaves `node` for `to`. */
export function skippedAfter(graph: Graph, node: number, to: readonly number[], within: BitSet | null): BitSet {
  const lost = stillReachable(graph, [node]);
  lost.remove(node);
  lost.removeAll(stillReachable(graph, to));
  if (within !== null) lost.retainAll(within);
  return lost;
}

/** What is skipped outside a section when it is left for `to`: what a loop around it could have come to. */
export function skippedAround(graph: Graph, section: SubgraphPlan, to: readonly number[], within: BitSet | null): BitSet {
  const lost = stillReachable(graph, entryNodes(graph, section));
  for (const node of section.nodes) lost.remove(node);
  lost.removeAll(stillReachable(graph, to));
  if (within !== null) lost.retainAll(within);
  return lost;
}

/** What is skipped outside a section while it is entered, since no loop goes round from its `spent` nodes any more. */
export function skippedWhileInside(
  graph: Graph,
  section: SubgraphPlan,
  exhausted: ReadonlySet<number>,
  within: BitSet | null,
): BitSet {
  const entered = entryNodes(graph, section);
  const lost = stillReachable(graph, entered);
  lost.removeAll(stillReachable(graph, entered, exhausted));
  if (within !== null) lost.retainAll(within);
  return lost;
}

function entryNodes(graph: Graph, { entries }: SubgraphPlan): number[] {
  return entries.filter((edge) => edge.to !== END && !graph.backEdges.has(edge)).map((edge) => edge.to);
}

/** What is skipped when nothing comes to `join`: it and what follows from it. */
export function skippedFrom(graph: Graph, join: number, within: BitSet | null): BitSet {
  const lost = stillReachable(graph, [join]);
  if (within !== null) lost.retainAll(within);
  return lost;
}

/**
 * The next nodes to be skipped, lowest first: a node's turn comes after those before it, and a loop's exits after its back
 * edges. Ends when `pending` is used up or it is the turn of the control node, which takes part in the order; `from` is the node
 * whose live edge has reached it.
 */
export function* skipOrder(
  graph: Graph,
  pending: ReadonlySet<number>,
  control: { readonly node: number; readonly from: number | null } | null,
): Generator<number> {
  const blockers = new Map<number, number>();
  const blocks = new Map<number, number[]>();
  for (const node of control === null ? pending : [...pending, control.node]) {
    // A first-wins join waits for nobody once something has reached it.
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
      let place = ready.length;
      while (place > 0 && at(ready, place - 1) > freed) place -= 1;
      ready.splice(place, 0, freed);
    }
  }
}

/** Pending nodes that must be skipped before `node` is decided. An edge out of a loop is dead only once that is over, but live at once. */
function blockersOf(graph: Graph, node: number, pending: ReadonlySet<number>, liveFrom: number | null): Set<number> {
  const blocking = new Set<number>();
  // Of several edges from the same node one at most is live, and the others are dead.
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

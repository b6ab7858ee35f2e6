import { at } from '../graph/at.ts';
import { Bits } from '../graph/bits.ts';
import type { Graph } from '../graph/graph.ts';
import type { Loop } from '../graph/loops.ts';

/**
 * Which nodes a lone token at one of `places` can still come to. What lies behind a loop stays possible while the loop can go
 * round again: an edge that leaves it and was not taken this time may be taken next time.
 */
export function possibleFrom(graph: Graph, places: readonly number[]): Bits {
  const possible = new Bits(graph.nodes.length);
  for (const place of places) {
    possible.add(place);
    possible.addAll(graph.below(place));
  }
  // Any other loop that is still ahead is entered by its head, and then its exits are ahead too.
  const around = new Set(places.flatMap((place) => graph.loopsAround(place)));
  const open = new Set<Loop>([...around].filter((loop) => loop.backs.some((edge) => possible.has(edge.from))));
  for (let grown = open.size > 0; grown; ) {
    grown = false;
    for (const loop of around) {
      if (open.has(loop)) continue;
      // A back edge out of an inner loop that can go round again has not been decided for good.
      const inner = (from: number, to: number): boolean => [...open].some((other) => other.body.has(from) && !other.body.has(to));
      if (!loop.backs.some((edge) => inner(edge.from, edge.to))) continue;
      open.add(loop);
      grown = true;
    }
  }
  for (const loop of open) {
    for (const edge of loop.exits) {
      possible.add(edge.to);
      possible.addAll(graph.below(edge.to));
    }
  }
  return possible;
}

/** What is skipped when a token leaves `node` for `to`. */
export function skippedAfter(graph: Graph, node: number, to: readonly number[], within: Bits | null): Bits {
  const lost = possibleFrom(graph, [node]);
  lost.remove(node);
  lost.removeAll(possibleFrom(graph, to));
  if (within !== null) lost.keepAll(within);
  return lost;
}

/** What is skipped when nothing comes to `join`: it and what follows from it. */
export function skippedFrom(graph: Graph, join: number, within: Bits | null): Bits {
  const lost = possibleFrom(graph, [join]);
  if (within !== null) lost.keepAll(within);
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
  for (const edge of graph.forwardIn(node)) {
    if (pending.has(edge.from)) blocking.add(edge.from);
    if (edge.from === liveFrom) continue;
    for (const loop of graph.loopsAround(edge.from)) {
      if (loop.body.has(node)) continue;
      for (const back of loop.backs) if (pending.has(back.from)) blocking.add(back.from);
    }
  }
  return blocking;
}

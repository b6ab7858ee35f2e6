import { at } from '../graph/at.ts';
import { Bits } from '../graph/bits.ts';
import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { OutputUse } from './outputs.ts';
import { type Cut, NONE } from './sweep.ts';

/** Branches of a fork that may start with nodes that finish at once: those move in the same breath. */
const MAX_INSTANT_BRANCHES = 32;

/** Does it make no difference that the branches of a fork move side by side? */
export function maySplit(graph: Graph, use: OutputUse, cut: Cut, targets: readonly number[], direct: boolean): boolean {
  const { join } = cut;
  const instant = new Map<number, Bits>();
  for (const target of targets) {
    if (target === join || !graph.isControl(target)) continue;
    const part = cut.partOf(target);
    instant.set(part, instantly(graph, target, cut.body, instant.get(part)));
  }
  const arrivals =
    [...instant.values()].filter((nodes) => [...nodes].some((node) => graph.out(node).some((edge) => edge.to === join))).length +
    (direct ? 1 : 0);
  if (join !== NONE && graph.isFirstJoin(join)) {
    if (arrivals > 0 || !cut.body.within(graph.region(join))) return false;
  } else if (join !== NONE && arrivals > 1 && graph.node(join).kind.type !== 'join' && at(use.receives, join)) {
    return false;
  }
  if (instant.size > MAX_INSTANT_BRANCHES) return false;
  if (instant.size < 2) return true;
  return ![...instant.values()].some((nodes) => [...nodes].some((node) => orderMatters(graph, node)));
}

function orderMatters(graph: Graph, control: number): boolean {
  const { kind } = graph.node(control);
  return kind.type === 'limit_exceeded' || (kind.type === 'join' && kind.output_key !== undefined);
}

/** Nodes reached from a control node without waiting for anything. */
function instantly(graph: Graph, from: number, body: Bits, found = new Bits(graph.nodes.length)): Bits {
  const todo = [from];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const edge of graph.out(node)) {
      if (edge.to !== END && body.has(edge.to) && graph.isControl(edge.to)) todo.push(edge.to);
    }
  }
  return found;
}

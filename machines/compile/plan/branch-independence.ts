import { at } from '../../graph/at.ts';
import { BitSet } from '../../graph/bit-set.ts';
import { END } from '../../graph/edges.ts';
import type { Graph } from '../../graph/graph.ts';
import { definitionOf, outputKeyOf } from '../../nodes/index.ts';
import { type Convergence, NO_NODE } from '../../program/convergence.ts';
import type { OutputUse } from '../../program/output-use.ts';

/** Branches of a fork that may start with control nodes: those branches move in the same step. */
const MAX_IMMEDIATE_BRANCHES = 32;

/** Is the result the same in whatever order the branches of a fork move within a step? */
export function branchesAreIndependent(
  graph: Graph,
  use: OutputUse,
  convergence: Convergence,
  targets: readonly number[],
  direct: boolean,
): boolean {
  const { join } = convergence;
  const immediateByBranch = new Map<number, BitSet>();
  for (const target of targets) {
    if (target === join || !graph.isControl(target)) continue;
    const part = convergence.componentOf(target);
    immediateByBranch.set(part, immediateNodes(graph, target, convergence.body, immediateByBranch.get(part)));
  }
  const arrivals =
    [...immediateByBranch.values()].filter((nodes) => [...nodes].some((node) => graph.out(node).some((edge) => edge.to === join)))
      .length + (direct ? 1 : 0);
  if (join !== NO_NODE && graph.isFirstJoin(join)) {
    if (arrivals > 0 || !convergence.body.isSubsetOf(graph.cancellationRegion(join))) return false;
  } else if (join !== NO_NODE && arrivals > 1 && graph.joins(join) === null && at(use.readsInput, join)) {
    return false;
  }
  if (immediateByBranch.size > MAX_IMMEDIATE_BRANCHES) return false;
  if (immediateByBranch.size < 2) return true;
  return ![...immediateByBranch.values()].some((nodes) => [...nodes].some((node) => orderMatters(graph, node)));
}

function orderMatters(graph: Graph, control: number): boolean {
  const { kind } = graph.node(control);
  return definitionOf(kind).endsExecution || outputKeyOf(kind) !== null;
}

/** The nodes that a step reaches from a control node. */
function immediateNodes(graph: Graph, from: number, body: BitSet, found = new BitSet(graph.nodes.length)): BitSet {
  const pending = [from];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const edge of graph.out(node)) {
      if (edge.to !== END && body.has(edge.to) && graph.isControl(edge.to)) pending.push(edge.to);
    }
  }
  return found;
}

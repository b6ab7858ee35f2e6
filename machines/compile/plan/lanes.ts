import type { Cooperative } from '../../cooperative.ts';
import { at } from '../../graph/at.ts';
import { BitSet } from '../../graph/bit-set.ts';
import { END } from '../../graph/edges.ts';
import type { Graph } from '../../graph/graph.ts';
import type { SubgraphPlan } from '../../program/plan.ts';
import { tooLarge } from './too-large.ts';

/** A step of a subgraph costs time proportional to its lanes, a chain of skips to lanes × nodes. */
const MAX_LANES = 256;
const MAX_LANES_TIMES_NODES = 300_000;

/**
 * Chains of nodes that cover a subgraph. A node of a lane is decided only after the node before it has ended, so a path must lead from each node
 * to the next that no first-wins join can cut short, and no such join may cancel the next node without the one before it. Topological order
 * within a lane keeps the nodes of a loop together.
 */
export function* layOutLanes(graph: Graph, body: BitSet): Cooperative<Pick<SubgraphPlan, 'lanes'>> {
  const nodes = byLongestPath(graph, body);
  const joins = yield* cancellingJoins(graph, body);
  return { lanes: yield* lanesOf(graph, body, nodes, joins) };
}

function* lanesOf(graph: Graph, body: BitSet, nodes: readonly number[], joins: CancellingJoins): Cooperative<number[][]> {
  const below = new Map<number, BitSet>();
  for (const node of [...nodes].reverse()) {
    yield;
    const bits = new BitSet(graph.nodes.length);
    for (const edge of graph.forwardOut(node)) {
      if (edge.to === END || !body.has(edge.to) || graph.isFirstJoin(edge.to)) continue;
      bits.add(edge.to);
      if (isCancelledWith(node, edge.to, joins)) bits.addAll(below.get(edge.to) ?? bits);
    }
    below.set(node, bits);
  }
  const lanes: number[][] = [];
  const laneEndingAt = new Map<number, number[]>();
  for (const node of nodes) {
    yield;
    const lane = graph.isFirstJoin(node) ? undefined : laneFor(graph, node, lanes, laneEndingAt, below, joins);
    if (lane === undefined) {
      const started = [node];
      lanes.push(started);
      laneEndingAt.set(node, started);
      if (lanes.length > MAX_LANES) throw tooManyLanes(graph, node);
    } else {
      laneEndingAt.delete(at(lane, lane.length - 1));
      lane.push(node);
      laneEndingAt.set(node, lane);
    }
  }
  if (lanes.length * nodes.length > MAX_LANES_TIMES_NODES) throw tooManyLanes(graph, at(nodes, 0));
  return lanes;
}

/** By node: the first-wins joins that cancel it when they run. */
type CancellingJoins = ReadonlyMap<number, ReadonlySet<number>>;

function* cancellingJoins(graph: Graph, body: BitSet): Cooperative<CancellingJoins> {
  const joins = new Map<number, Set<number>>();
  for (const join of body) {
    if (!graph.isFirstJoin(join)) continue;
    yield;
    for (const node of graph.cancellationRegion(join)) {
      const known = joins.get(node);
      if (known === undefined) joins.set(node, new Set([join]));
      else known.add(join);
    }
  }
  return joins;
}

/** Does every first-wins join that cancels `next` also cancel `node`? Else `next` may end, and its successors be decided, while `node` runs. */
function isCancelledWith(node: number, next: number, joins: CancellingJoins): boolean {
  const own = joins.get(node);
  for (const join of joins.get(next) ?? []) if (own?.has(join) !== true) return false;
  return true;
}

/** Nodes of a body by the length of the longest path to them. In this order, few lanes are needed. */
function byLongestPath(graph: Graph, body: BitSet): number[] {
  const level = new Map<number, number>();
  for (const node of graph.order) {
    if (!body.has(node)) continue;
    level.set(node, 1 + Math.max(-1, ...graph.forwardIn(node).map((edge) => level.get(edge.from) ?? -1)));
  }
  return [...level.keys()].sort((a, b) => (level.get(a) ?? 0) - (level.get(b) ?? 0) || a - b);
}

/** The lane that the node continues: that of a direct predecessor if there is one. */
function laneFor(
  graph: Graph,
  node: number,
  lanes: readonly number[][],
  endingAt: ReadonlyMap<number, number[]>,
  below: ReadonlyMap<number, BitSet>,
  joins: CancellingJoins,
): number[] | undefined {
  for (const edge of graph.forwardIn(node)) {
    const lane = endingAt.get(edge.from);
    if (lane !== undefined && isCancelledWith(edge.from, node, joins)) return lane;
  }
  return lanes.find((lane) => {
    const last = at(lane, lane.length - 1);
    return below.get(last)?.has(node) === true && isCancelledWith(last, node, joins);
  });
}

function tooManyLanes(graph: Graph, node: number): Error {
  return tooLarge(graph, node, `is among too many parallel nodes with edges between them (at most ${MAX_LANES} lanes)`);
}

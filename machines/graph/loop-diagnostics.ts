import type { Cooperative } from '../cooperative.ts';
import type { Diagnostic } from '../diagnostics.ts';
import { definitionOf } from '../nodes/index.ts';
import { at } from './at.ts';
import { BitSet } from './bit-set.ts';
import type { DominatorTree } from './dominators.ts';
import { END } from './edges.ts';
import type { Graph } from './graph.ts';
import { postDominators } from './post-dominators.ts';

export function* loopDiagnostics(graph: Graph): Cooperative<Diagnostic[]> {
  const shared = sharedBackEdges(graph);
  yield;
  const busy = controlOnlyLoops(graph);
  yield;
  return [...shared, ...busy, ...(yield* backEdgesLeavingForks(graph))];
}

/** A back edge may only be taken alone. */
function sharedBackEdges(graph: Graph): Diagnostic[] {
  return [...graph.backEdges].flatMap((edge) => {
    const rivals = graph.out(edge.from).filter((other) => other.role === edge.role);
    if (edge.role !== 'all' && !(edge.role === 'plain' && rivals.length > 1)) return [];
    return loopError(
      'loop_in_fan_out',
      graph.idOf(edge.from),
      `the edge "${graph.idOf(edge.from)}" → "${graph.idOf(edge.to)}" goes back, but other edges of "${graph.idOf(edge.from)}" are taken along with it`,
      'give the edge a condition, or go back from a condition node',
    );
  });
}

/** A cycle of control nodes would iterate within one step without end. */
function controlOnlyLoops(graph: Graph): Diagnostic[] {
  const finishesAtOnce = (node: number): boolean => {
    const { kind } = graph.node(node);
    const definition = definitionOf(kind);
    return (graph.isControl(node) && !definition.endsExecution) || definition.behaviour(kind) === 'judge';
  };
  const state = new Uint8Array(graph.nodes.length);
  for (const start of graph.reachable) {
    if (!finishesAtOnce(start) || state[start] !== 0) continue;
    const stack: { node: number; next: number }[] = [{ node: start, next: 0 }];
    state[start] = 1;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = graph.out(top.node)[top.next++];
      if (edge === undefined) {
        state[top.node] = 2;
        stack.pop();
      } else if (edge.to !== END && finishesAtOnce(edge.to)) {
        if (state[edge.to] === 1) {
          return loopError(
            'busy_loop',
            graph.idOf(edge.to),
            `the loop through "${graph.idOf(edge.to)}" consists of control nodes, which finish at once, so it would never end`,
            'add a node to the loop that does work or waits',
          );
        }
        if (state[edge.to] === 0) {
          state[edge.to] = 1;
          stack.push({ node: edge.to, next: 0 });
        }
      }
    }
  }
  return [];
}

/** A back edge may not leave a fan-out whose other branches may still run. */
function* backEdgesLeavingForks(graph: Graph): Cooperative<Diagnostic[]> {
  const found = new Map<string, Diagnostic>();
  if (graph.loops.length === 0) return [];
  const plainPostDominators = postDominators(graph);
  const allWaits = graph.edges.filter((edge) => edge.role === 'wait');
  const plainBranchNodes = new Map<number, BitSet>();
  for (const loop of graph.loops) {
    const waits = allWaits.filter((edge) => loop.body.has(edge.from) && loop.body.has(edge.to));
    const postDominatorTree = waits.length === 0 ? plainPostDominators : postDominators(graph, waits);
    yield;
    for (const fork of loop.body) {
      const routes = graph.out(fork).filter((edge) => edge.to !== END && !graph.backEdges.has(edge));
      const width = routes.filter((edge) => edge.role === 'all' || edge.role === 'plain').length;
      const extra = waits.filter((edge) => edge.from === fork);
      if (width < 2 && !(extra.length > 0 && routes.length > 0)) continue;
      const targets = [...routes, ...extra].map((edge) => edge.to);
      const known = waits.length === 0 ? plainBranchNodes.get(fork) : undefined;
      const branchNodes = known ?? forwardReachable(graph, targets, meetingPoint(graph, postDominatorTree, fork));
      if (waits.length === 0) plainBranchNodes.set(fork, branchNodes);
      yield;
      for (const edge of loop.backEdges) {
        if (!branchNodes.has(edge.from) || branchNodes.has(edge.to)) continue;
        const [diagnostic] = loopError(
          'loop_leaves_parallel',
          graph.idOf(edge.from),
          `the edge "${graph.idOf(edge.from)}" → "${graph.idOf(edge.to)}" goes back out of a branch that starts at "${graph.idOf(fork)}" while other branches may still be running`,
          'go back after the branches have been joined',
        );
        if (diagnostic !== undefined) found.set(`${edge.index}`, diagnostic);
      }
    }
  }
  return [...found.values()];
}

/** The nearest node after `fork` that every path from it to the end passes; -1 = the end itself. */
function meetingPoint(graph: Graph, postDominatorTree: DominatorTree, fork: number): number {
  for (
    let node = at(postDominatorTree.idom, fork);
    node !== -1 && node !== postDominatorTree.root;
    node = at(postDominatorTree.idom, node)
  ) {
    if (graph.descendants(fork).has(node)) return node;
  }
  return -1;
}

function forwardReachable(graph: Graph, from: readonly number[], stop: number): BitSet {
  const seen = new BitSet(graph.nodes.length);
  const pending = from.filter((node) => node !== stop);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const edge of graph.forwardOut(node)) if (edge.to !== END && edge.to !== stop) pending.push(edge.to);
  }
  return seen;
}

function loopError(code: string, nodeId: string, message: string, hint: string): [Diagnostic] {
  return [{ severity: 'error', code, node_id: nodeId, path: null, message, hint }];
}

import type { Diagnostic } from '../diagnostics.ts';
import type { Pausing } from '../pauses.ts';
import { at } from './at.ts';
import { Bits } from './bits.ts';
import type { DominatorTree } from './dominators.ts';
import { END } from './edges.ts';
import type { Graph } from './graph.ts';
import { postDominators } from './post-dominators.ts';

export function* loopDiagnostics(graph: Graph): Pausing<Diagnostic[]> {
  return [...sharedBackEdges(graph), ...busyLoops(graph), ...(yield* loopsOutOfForks(graph))];
}

/** A back edge is only ever taken alone. */
function sharedBackEdges(graph: Graph): Diagnostic[] {
  return [...graph.back].flatMap((edge) => {
    const rivals = graph.out(edge.from).filter((other) => other.role === edge.role);
    if (edge.role !== 'all' && !(edge.role === 'plain' && rivals.length > 1)) return [];
    return fault(
      'loop_in_fan_out',
      graph.idOf(edge.from),
      `the edge "${graph.idOf(edge.from)}" → "${graph.idOf(edge.to)}" goes back, but other edges of "${graph.idOf(edge.from)}" are taken along with it`,
      'give the edge a condition, or go back from a condition node',
    );
  });
}

/** A cycle of nodes that finish at once would never wait for anything. */
function busyLoops(graph: Graph): Diagnostic[] {
  const spins = (node: number): boolean => graph.isControl(node) && graph.node(node).kind.type !== 'limit_exceeded';
  const state = new Uint8Array(graph.nodes.length);
  for (const start of graph.reachable) {
    if (!spins(start) || state[start] !== 0) continue;
    const stack: { node: number; next: number }[] = [{ node: start, next: 0 }];
    state[start] = 1;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = graph.out(top.node)[top.next++];
      if (edge === undefined) {
        state[top.node] = 2;
        stack.pop();
      } else if (edge.to !== END && spins(edge.to)) {
        if (state[edge.to] === 1) {
          return fault(
            'busy_loop',
            graph.idOf(edge.to),
            `the loop through "${graph.idOf(edge.to)}" consists of nodes that finish at once, so it would never end`,
            'put a node into it that does work or waits',
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

/** A back edge may not leave a fan-out whose other branches can still be running. */
function* loopsOutOfForks(graph: Graph): Pausing<Diagnostic[]> {
  const found = new Map<string, Diagnostic>();
  if (graph.loops.length === 0) return [];
  const plainWays = postDominators(graph);
  const allWaits = graph.edges.filter((edge) => edge.role === 'wait');
  const plainInsides = new Map<number, Bits>();
  for (const loop of graph.loops) {
    const waits = allWaits.filter((edge) => loop.body.has(edge.from) && loop.body.has(edge.to));
    const ways = waits.length === 0 ? plainWays : postDominators(graph, waits);
    yield;
    for (const fork of loop.body) {
      const routes = graph.out(fork).filter((edge) => edge.to !== END && !graph.back.has(edge));
      const width = routes.filter((edge) => edge.role === 'all' || edge.role === 'plain').length;
      const extra = waits.filter((edge) => edge.from === fork);
      if (width < 2 && !(extra.length > 0 && routes.length > 0)) continue;
      const targets = [...routes, ...extra].map((edge) => edge.to);
      const known = waits.length === 0 ? plainInsides.get(fork) : undefined;
      const inside = known ?? forwardUpTo(graph, targets, meetingPoint(graph, ways, fork));
      if (waits.length === 0) plainInsides.set(fork, inside);
      yield;
      for (const edge of loop.backs) {
        if (!inside.has(edge.from) || inside.has(edge.to)) continue;
        const [diagnostic] = fault(
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

/** The nearest node after `fork` that every way from it to the end passes; -1 = the end itself. */
function meetingPoint(graph: Graph, ways: DominatorTree, fork: number): number {
  for (let node = at(ways.idom, fork); node !== -1 && node !== ways.root; node = at(ways.idom, node)) {
    if (graph.below(fork).has(node)) return node;
  }
  return -1;
}

function forwardUpTo(graph: Graph, from: readonly number[], stop: number): Bits {
  const seen = new Bits(graph.nodes.length);
  const todo = from.filter((node) => node !== stop);
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const edge of graph.forwardOut(node)) if (edge.to !== END && edge.to !== stop) todo.push(edge.to);
  }
  return seen;
}

function fault(code: string, nodeId: string, message: string, hint: string): [Diagnostic] {
  return [{ severity: 'error', code, node_id: nodeId, path: null, message, hint }];
}

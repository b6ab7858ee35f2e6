import type { Cooperative } from '../cooperative.ts';
import { at } from './at.ts';
import { BitSet } from './bit-set.ts';
import { END, type GraphEdge } from './edges.ts';

/** A natural loop: all back edges to one node, and the nodes between. */
export interface Loop {
  readonly head: number;
  readonly backEdges: readonly GraphEdge[];
  /** The head, and the nodes that reach a back edge without passing the head. */
  readonly body: BitSet;
  /** Forward edges that leave the body for other nodes. */
  readonly exits: readonly GraphEdge[];
}

/** Nested loops, at most: each level costs a walk over its body. */
export const MAX_LOOP_DEPTH = 64;

export interface FoundLoops {
  readonly loops: readonly Loop[];
  /** The first node in more than `MAX_LOOP_DEPTH` loops, at which the search ends. */
  readonly tooDeep: number | null;
}

export function* findLoops(size: number, edges: readonly GraphEdge[], back: ReadonlySet<GraphEdge>): Cooperative<FoundLoops> {
  const incoming: number[][] = Array.from({ length: size }, () => []);
  const outgoing: GraphEdge[][] = Array.from({ length: size }, () => []);
  for (const edge of edges) {
    if (edge.to === END) continue;
    at(incoming, edge.to).push(edge.from);
    if (!back.has(edge)) at(outgoing, edge.from).push(edge);
  }
  const backsOf = new Map<number, GraphEdge[]>();
  for (const edge of back) {
    const list = backsOf.get(edge.to);
    if (list === undefined) backsOf.set(edge.to, [edge]);
    else list.push(edge);
  }
  const depth = new Uint8Array(size);
  const loops: Loop[] = [];
  for (const [head, backs] of backsOf) {
    yield;
    const body = new BitSet(size);
    body.add(head);
    const pending = backs.map((edge) => edge.from);
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (body.has(node)) continue;
      body.add(node);
      pending.push(...at(incoming, node));
    }
    const exits: GraphEdge[] = [];
    for (const node of body) {
      depth[node] = at(depth, node) + 1;
      if (at(depth, node) > MAX_LOOP_DEPTH) return { loops, tooDeep: node };
      for (const edge of at(outgoing, node)) if (!body.has(edge.to)) exits.push(edge);
    }
    loops.push({ head, backEdges: backs, body, exits });
  }
  return { loops, tooDeep: null };
}

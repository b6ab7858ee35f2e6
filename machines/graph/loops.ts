import { at } from './at.ts';
import { Bits } from './bits.ts';
import { END, type GraphEdge } from './edges.ts';

/** All back edges to one node and what lies between. */
export interface Loop {
  readonly head: number;
  readonly backs: readonly GraphEdge[];
  /** The nodes that reach a back edge without passing the head, and the head. */
  readonly body: Bits;
  /** Forward edges that leave it (to other nodes). */
  readonly exits: readonly GraphEdge[];
}

export function findLoops(size: number, edges: readonly GraphEdge[], back: ReadonlySet<GraphEdge>): Loop[] {
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
  return [...backsOf].map(([head, backs]) => {
    const body = new Bits(size);
    body.add(head);
    const todo = backs.map((edge) => edge.from);
    for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
      if (body.has(node)) continue;
      body.add(node);
      todo.push(...at(incoming, node));
    }
    const exits = [...body].flatMap((node) => at(outgoing, node).filter((edge) => !body.has(edge.to)));
    return { head, backs, body, exits };
  });
}

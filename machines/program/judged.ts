import { END } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Node } from '../ir/workflow.ts';
import { definitionOf } from '../nodes/index.ts';

/** What a node that asks a policy judges unless it names a subject, and where a block leads. */
export interface Judged {
  /** The nodes with policy names that it leads to, directly or through nodes without. */
  readonly nodes: readonly Node[];
  /** `route`: `on_blocked`; `edges`: its edges can tell; `fail`: nowhere. */
  readonly blocked: 'route' | 'edges' | 'fail';
}

export function judgedBy(graph: Graph): ReadonlyMap<string, Judged> {
  const judges = graph.reachable.filter((index) => {
    const { kind } = graph.node(index);
    return definitionOf(kind).behaviour(kind) === 'judge';
  });
  return new Map(
    judges.map((index) => [graph.idOf(index), { nodes: subjects(graph, index), blocked: blockedRoute(graph, index) }]),
  );
}

function blockedRoute(graph: Graph, index: number): Judged['blocked'] {
  const out = graph.out(index);
  if (out.some(({ role }) => role === 'on_blocked')) return 'route';
  const decides = ({ role, to }: (typeof out)[number]): boolean =>
    role === 'if' || (role === 'plain' && to !== END && definitionOf(graph.node(to).kind).branching === 'choice');
  return out.some(decides) ? 'edges' : 'fail';
}

function subjects(graph: Graph, judge: number): readonly Node[] {
  const found: Node[] = [];
  const seen = new Set([judge]);
  const leads = (index: number): number[] =>
    graph.out(index).flatMap(({ role, to }) => (to === END || role === 'on_blocked' || role === 'fallback_node' ? [] : [to]));
  const pending = leads(judge);
  for (let index = pending.shift(); index !== undefined; index = pending.shift()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const node = graph.node(index);
    if (definitionOf(node.kind).policyNames(node.kind).length > 0) found.push(node);
    else pending.push(...leads(index));
  }
  return found;
}

import type { Program } from '../../machines/compile/index.ts';
import { type Alternative, type NodeOutcome, outcomeRoutes } from '../../machines/compile/outcome-routes.ts';
import { END } from '../../machines/graph/edges.ts';
import type { Graph } from '../../machines/graph/graph.ts';
import { definitionOf } from '../../machines/nodes/index.ts';

/** One way a visit to a node can go on: how it ended, and which of its alternatives was taken. */
export interface Branch {
  readonly index: number;
  readonly node: string;
  readonly ending: NodeOutcome;
  /** Which of the alternatives, in the order they are tried; null = nothing is drawn for this ending, and the run fails. */
  readonly alternative: number | null;
  /** Its condition; null = it has none. */
  readonly when: string | null;
  /** Of several, so that its condition is worth a mention. */
  readonly isChoice: boolean;
  /** Where it leads; empty = no edge does. */
  readonly targets: readonly string[];
}

/** Every way of a workflow, in the order of the nodes. */
export class Branches {
  readonly all: readonly Branch[];
  readonly #of = new Map<string, readonly Branch[]>();

  constructor({ tables }: Program) {
    const all: Branch[] = [];
    for (const node of tables.graph.reachable) {
      const id = tables.graph.idOf(node);
      for (const [ending, alternatives] of endingsOf(tables.graph, node, tables.verdicts.get(id)?.decision ?? null)) {
        const ways = branchesOf(tables.graph, id, ending, alternatives, all.length);
        this.#of.set(`${ending} ${id}`, ways);
        all.push(...ways);
      }
    }
    this.all = all;
  }

  of(node: string, ending: NodeOutcome): readonly Branch[] {
    return this.#of.get(`${ending} ${node}`) ?? [];
  }
}

function branchesOf(
  graph: Graph,
  node: string,
  ending: NodeOutcome,
  alternatives: readonly Alternative[] | null,
  first: number,
): readonly Branch[] {
  if (alternatives === null) return [{ index: first, node, ending, alternative: null, when: null, isChoice: false, targets: [] }];
  return alternatives.map(({ when, live }, i) => ({
    index: first + i,
    node,
    ending,
    alternative: i,
    when,
    isChoice: alternatives.length > 1,
    targets: live.map((edge) => (edge.to === END ? 'end' : graph.idOf(edge.to))),
  }));
}

function endingsOf(
  graph: Graph,
  node: number,
  policy: 'blocked' | 'require_approval' | null,
): readonly (readonly [NodeOutcome, readonly Alternative[] | null])[] {
  const { kind } = graph.node(node);
  const routes = outcomeRoutes(graph, node);
  const ok = ['ok', routes.ok ?? null] as const;
  const failed = ['failed', routes.failed ?? null] as const;
  const definition = definitionOf(kind);
  const timeout = definition.parkTimeoutMs(kind) === null ? [] : [['timeout', routes.timeout ?? null] as const];
  switch (definition.behaviour(kind)) {
    case 'control':
      return [ok];
    case 'approval': {
      // Without a way of its own a rejection is a failure, which a fallback takes over.
      const rejected = ['rejected', routes.rejected ?? routes.failed ?? null] as const;
      return [['approved', routes.approved ?? null], rejected, ...timeout];
    }
    case 'wait':
      return definition.timeoutOutcome(kind) === 'continue' ? [ok] : [ok, ...timeout];
    default:
      return policy === 'blocked' ? [failed] : [ok, failed];
  }
}

/** A failure for which nothing is drawn: any work can end like that. */
export function isUnhandledFailure({ ending, alternative }: Branch): boolean {
  return ending === 'failed' && alternative === null;
}

/** `decide [state.total > 50]`, `review (rejected)`: how a path names a way. */
export function branchText({ node, ending, alternative, when, isChoice }: Branch): string {
  const ended = alternative === null ? ` (${ending}, unhandled)` : ending === 'ok' ? '' : ` (${ending})`;
  return `${node}${ended}${isChoice ? ` [${when ?? 'else'}]` : ''}`;
}

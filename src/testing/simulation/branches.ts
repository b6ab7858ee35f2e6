import { END, RESULT_ROLES } from '../../../machines/graph/edges.ts';
import type { Graph } from '../../../machines/graph/graph.ts';
import { generatedNodes } from '../../../machines/graph/loop-bounds.ts';
import { definitionOf } from '../../../machines/nodes/index.ts';
import { type Alternative, type NodeOutcome, outcomeRoutes } from '../../../machines/program/outcome-routes.ts';
import type { Program } from '../../../machines/step/program.ts';

/** How a visit to a node can continue: its outcome, and the alternative that was taken. */
export interface Branch {
  readonly index: number;
  readonly node: string;
  readonly outcome: NodeOutcome;
  /** Index of the alternative in the order of evaluation; null = the outcome has no edge and fails the run. */
  readonly alternative: number | null;
  /** The condition; null = none. */
  readonly when: string | null;
  /** The agent that the conversation is handed over to; null = it is no handoff. */
  readonly handoff: string | null;
  /** Whether there are several alternatives. */
  readonly isChoice: boolean;
  /** The target nodes; empty = none. */
  readonly targets: readonly string[];
  /** Is it how an agent or a strategy works, which its author has not written? The branches of a tool call, and the one that leads to them. */
  readonly isInner: boolean;
}

/** All branches of a workflow, in the order of its nodes. */
export class Branches {
  readonly all: readonly Branch[];
  readonly #inner: ReadonlySet<string>;
  readonly #of = new Map<string, readonly Branch[]>();

  constructor({ tables, workflow }: Program) {
    const all: Branch[] = [];
    this.#inner = innerNodes(tables.graph, workflow.strategy !== null);
    for (const node of tables.graph.reachable) {
      const id = tables.graph.idOf(node);
      for (const [outcome, alternatives] of outcomesOf(tables.graph, node, tables.verdicts.get(id)?.decision === 'blocked')) {
        const branches = branchesOf(tables.graph, id, outcome, alternatives, all.length, this.#inner);
        this.#of.set(`${outcome} ${id}`, branches);
        all.push(...branches);
      }
    }
    this.all = all;
  }

  /** Is the node a part of an agent or a strategy, which its author has not written? */
  isInner(node: string): boolean {
    return this.#inner.has(node);
  }

  of(node: string, outcome: NodeOutcome): readonly Branch[] {
    return this.#of.get(`${outcome} ${node}`) ?? [];
  }
}

function branchesOf(
  graph: Graph,
  node: string,
  outcome: NodeOutcome,
  alternatives: readonly Alternative[] | null,
  first: number,
  inner: ReadonlySet<string>,
): readonly Branch[] {
  if (alternatives === null)
    return [
      {
        index: first,
        node,
        outcome,
        alternative: null,
        when: null,
        handoff: null,
        isChoice: false,
        targets: [],
        isInner: inner.has(node),
      },
    ];
  const { kind } = graph.node(graph.existingIndexOf(node));
  const handoffs = definitionOf(kind).handoffEdges(kind);
  return alternatives.map(({ when, live }, i) => {
    const targets = live.map((edge) => (edge.to === END ? 'end' : graph.idOf(edge.to)));
    return {
      index: first + i,
      node,
      outcome,
      alternative: i,
      when,
      handoff: handoffs.find(({ condition }) => condition === when)?.to ?? null,
      isChoice: alternatives.length > 1,
      targets,
      isInner: inner.has(node) || (targets.length > 0 && targets.every((target) => inner.has(target))),
    };
  });
}

/** The nodes that stand for parts of agents; of a strategy, all. */
function innerNodes(graph: Graph, isStrategy: boolean): ReadonlySet<string> {
  const nodes = isStrategy ? graph.nodes.keys() : generatedNodes(graph);
  return new Set([...nodes].map((node) => graph.idOf(node)));
}

function outcomesOf(
  graph: Graph,
  node: number,
  isBlocked: boolean,
): readonly (readonly [NodeOutcome, readonly Alternative[] | null])[] {
  const { kind } = graph.node(node);
  const routes = outcomeRoutes(graph, node);
  const ok = ['ok', routes.ok ?? null] as const;
  const failed = ['failed', routes.failed ?? null] as const;
  const definition = definitionOf(kind);
  const timeout = definition.parkTimeout(kind) === null ? [] : [['timeout', routes.timeout ?? null] as const];
  switch (definition.behaviour(kind)) {
    case 'control':
      return [ok];
    case 'approval': {
      // Without on_rejected, a rejection is a failure, which a fallback node may handle.
      const rejected = ['rejected', routes.rejected ?? routes.failed ?? null] as const;
      return [['approved', routes.approved ?? null], rejected, ...timeout];
    }
    case 'wait':
      return definition.timeoutOutcome(kind) === 'continue' ? [ok] : [ok, ...timeout];
    default: {
      if (isBlocked) return [failed];
      const scoring = definition.scoring(kind);
      if (scoring?.onFail === 'retry_with_feedback' && routes.again !== undefined) return [ok, ['again', routes.again], failed];
      const asked = RESULT_ROLES.flatMap((role) => (routes[role] === undefined ? [] : [[role, routes[role]] as const]));
      if (scoring?.onFail !== 'escalate') return [ok, ...asked, failed];
      const timedOut = scoring.reviewTimeoutMs === null ? [] : [['timeout', routes.timeout ?? null] as const];
      const rejected = ['rejected', routes.rejected ?? routes.failed ?? null] as const;
      return [ok, ['approved', routes.approved ?? null], rejected, ...timedOut, failed];
    }
  }
}

/** A failure without a fallback node, which any work can have. */
export function isUnhandledFailure({ outcome, alternative }: Branch): boolean {
  return outcome === 'failed' && alternative === null;
}

/** The name of a branch in paths: `decide [state.total > 50]`, `review (rejected)`. */
export function branchText({ node, outcome, alternative, when, handoff, isChoice }: Branch): string {
  if (handoff !== null) return `${node} (hands over to ${handoff})`;
  const ended = alternative === null ? ` (${outcome}, unhandled)` : outcome === 'ok' ? '' : ` (${outcome})`;
  return `${node}${ended}${isChoice ? ` [${when ?? 'else'}]` : ''}`;
}

import { type Cooperative, runToEnd } from '../cooperative.ts';
import { END, type GraphEdge, RESULT_ROLES, type ResultRole } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import { definitionOf } from '../nodes/index.ts';

/**
 * How a visit to a node can end. `ok`: it completed otherwise than by a decision; `again`: it completed and sends the work before it back. A
 * `ResultRole`: its result asked for that route.
 */
export type NodeOutcome = 'ok' | 'approved' | 'rejected' | 'timeout' | 'again' | 'failed' | ResultRole;

/** One of the choices of an outcome. The first alternative whose condition holds is taken, and all its edges become live. */
export interface Alternative {
  /** An expression; null = always. */
  readonly when: string | null;
  readonly live: readonly GraphEdge[];
  /** Targets of the live forward edges, each once, without `end`. */
  readonly targets: readonly number[];
  /** The back edge, which is then the only live edge. */
  readonly back: GraphEdge | null;
}

/** Alternatives by outcome; null = the outcome fails the node, and the failure is not handled. */
export type OutcomeRoutes = { readonly [E in NodeOutcome]?: readonly Alternative[] | null };

/** The alternatives of an outcome that has several; empty when none has. All outcomes of a node that have several share them. */
export function exclusiveChoice(routes: OutcomeRoutes): readonly Alternative[] {
  return Object.values(routes).find((alternatives) => alternatives !== null && alternatives.length > 1) ?? [];
}

export function outcomeRoutes(graph: Graph, node: number): OutcomeRoutes {
  return runToEnd(outcomeRoutesCooperatively(graph, node));
}

/** `outcomeRoutes` as a cooperative computation: a node may have thousands of branches. */
export function* outcomeRoutesCooperatively(graph: Graph, node: number): Cooperative<OutcomeRoutes> {
  const { kind } = graph.node(node);
  const out = graph.out(node);
  const ordinary = yield* ordinaryRoutes(graph, node);
  const named = (role: GraphEdge['role']): readonly Alternative[] | null => {
    const edges = out.filter((edge) => edge.role === role);
    return edges.length === 0 ? null : [alternative(graph, null, edges)];
  };
  const failed = named('fallback_node');
  const definition = definitionOf(kind);
  const decided = (): OutcomeRoutes => {
    const decides =
      out.some((edge) => edge.role === 'if') ||
      out.some((edge) => edge.role === 'plain' && edge.to !== END && isChoice(graph, edge.to));
    return {
      approved: named('on_approved') ?? ordinary,
      rejected: named('on_rejected') ?? (decides ? ordinary : null),
      timeout: named('on_timeout') ?? failed,
    };
  };
  switch (definition.behaviour(kind)) {
    case 'approval':
      return { failed, ...decided() };
    case 'wait': {
      const outcome = definition.timeoutOutcome(kind);
      // Only a time that is computed can fail.
      const fails = definition.parkTimeout(kind) === 'template' ? { failed } : {};
      if (outcome === 'continue') return { ok: ordinary, timeout: ordinary, ...fails };
      const unrouted = outcome === 'continue_unless_routed' ? ordinary : null;
      return { ok: ordinary, timeout: named('on_timeout') ?? failed ?? unrouted, failed };
    }
    case 'control':
      return { ok: ordinary };
    default: {
      const onFail = definition.scoring(kind)?.onFail;
      if (onFail === 'retry_with_feedback') return { ok: ordinary, again: named('retry_node'), failed };
      if (onFail === 'escalate') return { ok: ordinary, ...decided(), failed };
      const asked = RESULT_ROLES.flatMap((role) => {
        const route = named(role);
        return route === null ? [] : [[role, route] as const];
      });
      return { ok: ordinary, failed, ...Object.fromEntries(asked) };
    }
  }
}

function isChoice(graph: Graph, node: number): boolean {
  return definitionOf(graph.node(node).kind).branching === 'choice';
}

const NO_EDGES: readonly GraphEdge[] = [];
const NO_NODE = -2;

/** The alternatives of a node that has completed: an exclusive choice, then the edges without a condition. */
function* ordinaryRoutes(graph: Graph, node: number): Cooperative<readonly Alternative[]> {
  const { kind } = graph.node(node);
  const out = graph.out(node);
  const branches = isChoice(graph, node) ? definitionOf(kind).branches(kind) : [];
  if (branches.length > 0) {
    const byTarget = new Map<number, GraphEdge[]>();
    for (const edge of out) {
      const others = byTarget.get(edge.to);
      if (others === undefined) byTarget.set(edge.to, [edge]);
      else others.push(edge);
    }
    const leading = (id: string): readonly GraphEdge[] =>
      byTarget.get(id === 'end' ? END : (graph.indexOf(id) ?? NO_NODE)) ?? NO_EDGES;
    const tried: Alternative[] = [];
    for (const { condition, target } of branches) {
      if (condition !== null) tried.push(alternative(graph, condition, leading(target)));
      yield;
    }
    const otherwise = branches.find((branch) => branch.condition === null);
    return [...tried, alternative(graph, null, otherwise === undefined ? [] : leading(otherwise.target))];
  }
  const conditional: Alternative[] = [];
  for (const edge of out) {
    if (edge.role === 'if') conditional.push(alternative(graph, edge.condition, [edge]));
    yield;
  }
  const rest = out.filter((edge) => edge.role === 'plain' || edge.role === 'all');
  return [...conditional, alternative(graph, null, rest)];
}

function alternative(graph: Graph, when: string | null, live: readonly GraphEdge[]): Alternative {
  const back = live.find((edge) => graph.backEdges.has(edge)) ?? null;
  const targets = back === null ? [...new Set(live.flatMap((edge) => (edge.to === END ? [] : [edge.to])))] : [];
  return { when, live, targets, back };
}

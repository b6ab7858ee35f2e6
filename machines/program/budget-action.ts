import type { BitSet } from '../graph/bit-set.ts';
import type { Graph } from '../graph/graph.ts';
import { isBudgetNode, type Workflow } from '../ir/workflow.ts';
import { stillReachable } from './dead-paths.ts';

/**
 * What an exceeded budget does to an execution:
 * - `fail`: it fails;
 * - `pause`: it is suspended until an operator resumes it with new totals;
 * - `guard`: it goes on, because its own conditions ask for `__cost_exceeded__`;
 * - `route`: it leaves everything and continues at the node that `on_budget_exceeded` names;
 * - `continue`: it ends, and its next segment, another execution, begins with its state.
 */
export type BudgetAction = 'fail' | 'pause' | 'guard' | 'route' | 'continue';

/** The key of the state by which conditions ask whether a budget is exceeded. */
export const COST_EXCEEDED = '__cost_exceeded__';

/** `isGuarded`: the workflow has a condition that asks for `COST_EXCEEDED`. */
export function budgetActionOf({ on_budget_exceeded: given, continue_as_new }: Workflow, isGuarded: boolean): BudgetAction {
  if (given === 'fail' || given === 'pause') return given;
  if (isBudgetNode(given)) return 'route';
  if (continue_as_new) return 'continue';
  return isGuarded ? 'guard' : 'fail';
}

/** The node at which an execution over its budget continues. */
export interface BudgetRoute {
  readonly node: string;
  /** The node and all that it can lead to: an execution that is there already is on its way. */
  readonly nodes: BitSet;
}

export function budgetRouteOf(graph: Graph): BudgetRoute | null {
  const { budgetNode } = graph;
  return budgetNode === null ? null : { node: graph.idOf(budgetNode), nodes: stillReachable(graph, [budgetNode]) };
}

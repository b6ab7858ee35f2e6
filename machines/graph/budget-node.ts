import type { Diagnostic } from '../diagnostics.ts';
import { isBudgetNode, type Workflow } from '../ir/workflow.ts';
import { shortened } from '../shortened.ts';
import { didYouMean } from '../suggest.ts';
import { END } from './edges.ts';
import type { Graph } from './graph.ts';

const PATH = 'on_budget_exceeded';

/** The node that `on_budget_exceeded` names; null = none, a diagnostic = it does not exist. */
export function budgetNodeOf({ on_budget_exceeded: given, nodes }: Workflow): number | Diagnostic | null {
  if (!isBudgetNode(given)) return null;
  const index = nodes.findIndex(({ id }) => id === given);
  if (index !== -1) return index;
  const names = ['fail', 'pause', ...nodes.map(({ id }) => id)];
  const hint = didYouMean(given, names) ?? 'write "fail", "pause" or the id of a node';
  return error(null, `on_budget_exceeded names "${shortened(given, 256)}", which is no node`, hint, 'unknown_target');
}

/**
 * Errors of the node for budgets. An execution continues there once: a node that leads back to the start, or to itself, would visit again
 * what the execution has left.
 */
export function budgetNodeDiagnostics(graph: Graph): readonly Diagnostic[] {
  const { budgetNode: node } = graph;
  if (node === null) return [];
  const name = graph.idOf(node);
  const behind = nodesBehind(graph, node);
  if (node === graph.start || behind.has(graph.start)) {
    const problem = node === graph.start ? 'which is the start node' : 'which leads to the start node';
    return [
      error(
        name,
        `on_budget_exceeded names "${name}", ${problem}`,
        'to begin again with a new budget, set continue_as_new: true',
      ),
    ];
  }
  if (!behind.has(node)) return [];
  return [
    error(name, `on_budget_exceeded names "${name}", which is part of a loop`, 'name a node behind the loop, or one of its own'),
  ];
}

/** What edges, and waits of joins, lead to from a node; itself only if it is in a loop. */
function nodesBehind(graph: Graph, node: number): ReadonlySet<number> {
  const behind = new Set<number>();
  const pending = [node];
  for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
    for (const { to } of graph.outWithWaits(from)) {
      if (to === END || behind.has(to)) continue;
      behind.add(to);
      pending.push(to);
    }
  }
  return behind;
}

function error(node_id: string | null, message: string, hint: string, code = 'bad_budget_node'): Diagnostic {
  return { severity: 'error', code, node_id, path: PATH, message, hint };
}

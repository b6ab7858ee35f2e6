import { stillReachable } from '../../program/dead-paths.ts';
import type { RerouteParams } from '../../program/parameters.ts';
import type { StepContext } from '../context/step-context.ts';
import { NODE } from '../context/subgraph-state.ts';

export const BUDGET_SKIP = 'budget exceeded';

/**
 * The execution leaves everything and continues at the node for budgets: what is in progress is cancelled, and what could still have run
 * is skipped, unless that node leads to it.
 */
export function reroute(step: StepContext, { node: target, deliver }: RerouteParams): void {
  const { halt, tables } = step;
  if (halt?.status !== 'rerouted') throw new TypeError('no budget is exceeded');
  const { graph } = tables;
  const from = halt.node === null ? [] : [step.indexOf(halt.node)];
  const active = step.now.active.nodes().map((node) => step.indexOf(node));
  const deferred = (step.now.suspension?.deferred ?? [])
    .map((node) => step.indexOf(node))
    .filter((index) => !active.includes(index));
  const skipped = stillReachable(graph, [...from, ...active, ...deferred]);
  for (const index of [...from, ...active]) skipped.remove(index);
  for (const key of Object.keys(step.now.subgraphs)) {
    const subgraph = step.enteredSubgraph(key);
    for (const index of subgraph?.plan.nodes ?? []) if (subgraph?.nodeState(index) !== NODE.undecided) skipped.remove(index);
  }
  for (const index of deferred) skipped.add(index);
  skipped.removeAll(stillReachable(graph, [step.indexOf(target)]));
  for (const index of active.sort((a, b) => a - b)) step.cancelVisit(graph.idOf(index));
  step.goOn();
  step.abandonFailures();
  step.leaveAll(skipped, BUDGET_SKIP);
  if (halt.node !== null) step.recordRerouted(halt.node, target);
  if (deliver === true) step.inputs.deliver(target, halt.node ?? target, { error: halt.error, node_id: halt.node }, false, null);
}

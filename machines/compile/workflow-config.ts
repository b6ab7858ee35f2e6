import type { Cooperative } from '../cooperative.ts';
import { InvalidWorkflow } from '../diagnostics.ts';
import type { Graph } from '../graph/graph.ts';
import { analyseCooperatively } from '../graph/index.ts';
import type { Workflow } from '../ir/workflow.ts';
import type { JsonObject } from '../json.ts';
import { type PolicyVerdict, policyVerdict } from '../policy.ts';
import { FINALIZER_ROUTES } from '../program/finalizers.ts';
import { type OutcomeRoutes, outcomeRoutesCooperatively } from '../program/outcome-routes.ts';
import { analyseOutputUse, type OutputUse } from '../program/output-use.ts';
import type { Plan } from '../program/plan.ts';
import { MachineEmitter } from './emit/machine.ts';
import { TransitionBuilder } from './emit/transitions.ts';
import { refuseParallelContinuation, refuseParallelConversation } from './plan/not-in-parallel.ts';
import { Planner } from './plan/planner.ts';
import { checkStepCost } from './plan/step-cost.ts';

export interface CompileOptions {
  /** False compiles every fan-out to a subgraph. Nodes and outcomes are the same. Default: true. */
  readonly forks?: boolean;
  /** Skips the check of step costs: the workflow passed it when it was registered. */
  readonly registered?: boolean;
}

/** The states and transitions of a workflow, with what was found out on the way. No machine yet, and nothing of XState. */
export interface WorkflowConfig {
  readonly graph: Graph;
  readonly routes: readonly OutcomeRoutes[];
  readonly outputUse: OutputUse;
  readonly verdicts: ReadonlyMap<number, PolicyVerdict>;
  readonly plan: Plan;
  readonly config: JsonObject;
}

/** Throws `InvalidWorkflow`. */
export function* workflowConfig(workflow: Workflow, options: CompileOptions): Cooperative<WorkflowConfig> {
  const { graph, diagnostics } = yield* analyseCooperatively(workflow);
  if (graph === null) throw new InvalidWorkflow(diagnostics);
  const finalizers = new Set(graph.finalizers);
  const routes: OutcomeRoutes[] = [];
  for (const node of graph.nodes.keys()) {
    if (finalizers.has(node)) routes.push(FINALIZER_ROUTES);
    else routes.push(graph.rank[node] === -1 ? {} : yield* outcomeRoutesCooperatively(graph, node));
    yield;
  }
  yield* graph.prepareDescendants();
  const outputUse = yield* analyseOutputUse(graph);
  const verdicts = yield* verdictsOf(workflow, graph);
  const plan = yield* new Planner(graph, routes, outputUse, { forks: options.forks ?? true }).plan();
  yield;
  refuseParallelContinuation(workflow, graph, plan);
  if (options.registered !== true) {
    checkStepCost(graph, plan);
    yield* refuseParallelConversation(graph, routes);
  }
  yield;
  const emitter = new MachineEmitter(new TransitionBuilder(graph, routes, outputUse, verdicts));
  const config = yield* emitter.emit(workflow.workflow_id, plan);
  return { graph, routes, outputUse, verdicts, plan, config };
}

function* verdictsOf(workflow: Workflow, graph: Graph): Cooperative<Map<number, PolicyVerdict>> {
  const verdicts = new Map<number, PolicyVerdict>();
  for (const node of [...graph.reachable, ...graph.finalizers]) {
    const verdict = policyVerdict(workflow, graph.node(node));
    if (verdict !== null) verdicts.set(node, verdict);
    yield;
  }
  return verdicts;
}

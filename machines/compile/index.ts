import { type Cooperative, runToEnd } from '../cooperative.ts';
import { compileExpression, type Expression, type Reference, references } from '../expression/index.ts';
import { compileTemplate } from '../expression/template.ts';
import type { Graph } from '../graph/graph.ts';
import type { Workflow } from '../ir/workflow.ts';
import type { Json } from '../json.ts';
import { definitionOf, doesItems, type Kind } from '../nodes/index.ts';
import type { ModelCall, Scoring } from '../nodes/kind.ts';
import { budgetActionOf, budgetRouteOf, COST_EXCEEDED } from '../program/budget-action.ts';
import { internalStateOf } from '../program/internal-state.ts';
import { judgedBy } from '../program/judged.ts';
import { type LateNames, lateNamesOf } from '../program/late-names.ts';
import { type Alternative, exclusiveChoice, type OutcomeRoutes } from '../program/outcome-routes.ts';
import { compiledTexts, type ProgramTables, planTables } from '../program/tables.ts';
import { timersOf } from '../program/timers.ts';
import { dataRulesOf } from '../redaction/rules.ts';
import { vocabulary } from '../step/actions/vocabulary.ts';
import type { MachineContext } from '../step/context/step-context.ts';
import type { Program } from '../step/program.ts';
import { Walker } from '../step/walker.ts';
import { buildMachine } from './emit/build-machine.ts';
import { type CompileOptions, workflowConfig } from './workflow-config.ts';

export type { CompileOptions } from './workflow-config.ts';

/** Microsteps of one step, at most. No graph needs as many: a defect of the compiler ends in an error instead of an endless loop. */
const MAX_MICROSTEPS = 100_000;

/** Throws `InvalidWorkflow` when the graph has errors or a step of it would cost too much. */
export function compile(workflow: Workflow, revision: string, options: CompileOptions = {}): Program {
  return runToEnd(compileCooperatively(workflow, revision, options));
}

/** `compile` as a cooperative computation: thousands of nodes take a second. */
export function* compileCooperatively(workflow: Workflow, revision: string, options: CompileOptions = {}): Cooperative<Program> {
  const { graph, routes, outputUse, verdicts, plan, config } = yield* workflowConfig(workflow, options);
  const { isGuarded, ...requirements } = yield* expressionRequirements(graph, routes);
  const budgetAction = budgetActionOf(workflow, isGuarded);
  const internalState = internalStateOf(workflow, budgetAction);
  yield;
  const subgraphTables = yield* planTables(graph, plan);
  yield;
  const lateNames = lateNamesIn(graph);
  yield;
  const texts = compiledTexts(graph);
  yield;
  const timers = timersOf(graph);
  yield;
  const choices = choicesOf(graph, routes);
  yield;
  const byId = new Map([...verdicts].map(([node, verdict]) => [graph.idOf(node), verdict]));
  const tables: ProgramTables = {
    workflow,
    graph,
    outputUse,
    dataRules: dataRulesOf(workflow),
    ...subgraphTables,
    budgetAction,
    verdicts: byId,
    internalState,
    judged: judgedBy(graph),
    lateNames,
    modelCalls: modelCallsIn(workflow),
    hasApprovalState: (node) =>
      byId.get(node)?.decision === 'require_approval' && !doesItems(graph.node(graph.existingIndexOf(node)).kind),
    budgetRoute: budgetRouteOf(graph),
    ...texts,
    timers,
    scorings: scoringsOf(graph),
    measured: measuredNodes(graph),
    correlationKeys: correlationKeysOf(graph),
    hasJournals: graph.nodes.some(({ kind }) => definitionOf(kind).keepsJournal),
    ...requirements,
    routes,
    choices,
    nodeOf: (id) => graph.node(graph.indexOf(id) ?? -1),
  };
  yield;
  const context = ({ input }: { input: MachineContext | undefined }): MachineContext | object => input ?? {};
  const machine = yield* buildMachine(config, { context, options: { maxIterations: MAX_MICROSTEPS } }, vocabulary);
  const walker = yield* Walker.of(machine);
  return { workflow, revision, config, tables, walker, stepper: walker };
}

/** The alternatives of the nodes that choose one of several. */
function choicesOf(graph: Graph, routes: readonly OutcomeRoutes[]): Map<string, readonly Alternative[]> {
  const choices = graph.reachable.map((node) => [graph.idOf(node), exclusiveChoice(routes[node] ?? {})] as const);
  return new Map(choices.filter(([, alternatives]) => alternatives.length > 1));
}

function modelCallsIn({ nodes }: Workflow): Map<string, ModelCall> {
  return new Map(nodes.flatMap(({ id, kind }) => definitionOf(kind).expand(kind, id)?.calls ?? []));
}

function lateNamesIn(graph: Graph): Map<string, LateNames> {
  return new Map(
    [...graph.reachable, ...graph.finalizers].flatMap((index) => {
      const { id, kind } = graph.node(index);
      const late = lateNamesOf(kind);
      return late === null ? [] : [[id, late] as const];
    }),
  );
}

function scoringsOf(graph: Graph): Map<string, Scoring> {
  return new Map(
    graph.reachable.flatMap((node): [string, Scoring][] => {
      const { kind, id } = graph.node(node);
      const scoring = definitionOf(kind).scoring(kind);
      return scoring === null ? [] : [[id, scoring]];
    }),
  );
}

/** Nodes whose work is scored, with the nodes that score it: control nodes between the two do not count. */
function measuredNodes(graph: Graph): Map<string, string[]> {
  const measured = new Map<string, string[]>();
  for (const scoring of graph.reachable) {
    const { kind, id } = graph.node(scoring);
    if (definitionOf(kind).scoring(kind) === null) continue;
    const seen = new Set<number>();
    const pending = graph.forwardIn(scoring).map((edge) => edge.from);
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      if (graph.isControl(node)) pending.push(...graph.forwardIn(node).map((edge) => edge.from));
      else measured.set(graph.idOf(node), [...(measured.get(graph.idOf(node)) ?? []), id]);
    }
  }
  return measured;
}

function correlationKeysOf(graph: Graph): Set<string> {
  const kinds = graph.reachable.map((node) => graph.node(node).kind);
  return new Set(kinds.flatMap((kind) => definitionOf(kind).waitsForEvent(kind) ?? []));
}

/**
 * The `env` names that steps read, and the oldest language that has all their expressions. Both are fixed when an execution starts;
 * work reads the values that are current when it begins.
 */
function* expressionRequirements(
  graph: Graph,
  routes: readonly OutcomeRoutes[],
): Cooperative<Pick<ProgramTables, 'envNames'> & { readonly isGuarded: boolean }> {
  const envNames = new Set<string>();
  let isGuarded = false;
  const read = (expression: Expression): void => {
    for (const { root, path } of references(expression)) if (root === 'env') envNames.add(path[0] ?? '');
  };
  for (const own of routes) {
    for (const alternatives of Object.values(own))
      for (const { when } of alternatives ?? []) {
        if (when === null) continue;
        const expression = compileExpression(when);
        read(expression);
        isGuarded ||= references(expression).some(asksForCost);
        yield;
      }
  }
  for (const node of graph.reachable) {
    for (const expression of compileTemplate(templateInStep(graph.node(node).kind)).expressions) read(expression);
    yield;
  }
  return { envNames: [...envNames], isGuarded };
}

function asksForCost({ root, path }: Reference): boolean {
  return (root === 'bare' || root === 'state') && path[0] === COST_EXCEEDED;
}

/** The template of a node that steps render; attempts of work render theirs when they begin. */
function templateInStep(kind: Kind): Json {
  const definition = definitionOf(kind);
  const work = definition.itemWork(kind);
  if (work !== null) return [work.items, work.output, definition.outputMapping(kind)];
  if (definition.behaviour(kind) === 'judge') return definition.mapping(kind);
  return definition.startTemplate(kind)?.template ?? definition.outputMapping(kind);
}

import { checkNesting } from './compile/nesting.ts';
import { outputUse } from './compile/outputs.ts';
import { Planner } from './compile/planner.ts';
import { choiceOf, type Routes, routesOf } from './compile/routes.ts';
import { lookUp, type Statics, texts } from './compile/statics.ts';
import { timersOf } from './compile/timers.ts';
import { InvalidWorkflow } from './diagnostics.ts';
import { Emitter } from './emit/machine.ts';
import { stateMachine } from './emit/state-machine.ts';
import { Ways } from './emit/ways.ts';
import { FIRST_LANGUAGE, LANGUAGE } from './expression/tree.ts';
import { compileExpression, type Expression, references } from './expression.ts';
import type { Graph } from './graph/graph.ts';
import { analysing } from './graph.ts';
import type { Node, Workflow } from './ir/workflow.ts';
import type { Json, JsonObject } from './json.ts';
import { finished, type Pausing } from './pauses.ts';
import { type PolicyVerdict, policyVerdict } from './policy.ts';
import { type Context, freshContext } from './step/context.ts';
import { Evaluation } from './step/evaluation.ts';
import { type Stepper, stepperOf } from './step/stepper.ts';
import { compileTemplate } from './template.ts';
import { vocabulary } from './vocabulary.ts';

export { COMPILER_VERSION } from './compile/version.ts';

/** Microsteps of one step, at most: more than any graph needs, so that a mistake of ours ends in an error and not in a hang. */
const MAX_MICROSTEPS = 100_000;

/** A compiled workflow revision. */
export interface Program {
  readonly workflow: Workflow;
  readonly revision: string;
  /** The XState config: plain JSON over the vocabulary. */
  readonly config: JsonObject;
  readonly statics: Statics;
  readonly stepper: Stepper;
}

export interface CompileOptions {
  /** Without forks every fan-out becomes a section. Both ways run the same nodes to the same outcome. */
  readonly forks?: boolean;
  /** The workflow is registered already: it runs, also if it would be refused today for what a step of it costs. */
  readonly registered?: boolean;
}

/** Throws `InvalidWorkflow` when the graph has errors, or is too entangled to be run at a bounded cost per step. */
export function compile(workflow: Workflow, revision: string, options: CompileOptions = {}): Program {
  return finished(compiling(workflow, revision, options));
}

/** Like `compile`, with pauses: thousands of nodes take a second. */
export function* compiling(workflow: Workflow, revision: string, options: CompileOptions = {}): Pausing<Program> {
  const { graph, diagnostics } = yield* analysing(workflow);
  if (graph === null) throw new InvalidWorkflow(diagnostics);
  const routes = graph.nodes.map((_, node) => (graph.rank[node] === -1 ? {} : routesOf(graph, node)));
  yield;
  const use = yield* outputUse(graph);
  const verdicts = verdictsOf(workflow, graph);
  const plan = new Planner(graph, routes, use, { forks: options.forks ?? true }).root();
  if (options.registered !== true) checkNesting(graph, plan);
  yield;
  const config = yield* new Emitter(new Ways(graph, routes, use, verdicts)).machine(workflow.workflow_id, plan);
  const read = yield* readInSteps(graph, routes);
  const statics: Statics = {
    workflow,
    graph,
    use,
    verdicts: new Map([...verdicts].map(([node, verdict]) => [graph.idOf(node), verdict])),
    ...lookUp(graph, plan),
    ...texts(graph),
    timers: timersOf(graph),
    awaited: awaitedKeys(graph),
    ...read,
    choices: choicesOf(graph, routes),
    evaluation: new Evaluation(),
    nodeOf: (id) => graph.node(graph.indexOf(id) ?? -1),
  };
  yield;
  const context = ({ input }: { input: Context | null }): Context => input ?? freshContext(null, {}, 0);
  const machine = yield* stateMachine(config, { context, options: { maxIterations: MAX_MICROSTEPS } }, vocabulary(statics));
  return { workflow, revision, config, statics, stepper: stepperOf(machine) };
}

/** A condition node is its choice: it has nothing to complete before. */
function choicesOf(graph: Graph, routes: readonly Routes[]): Map<string, readonly string[]> {
  const choices = new Map<string, readonly string[]>();
  for (const node of graph.reachable) {
    const alternatives = choiceOf(routes[node] ?? {});
    if (alternatives.length < 2 || graph.node(node).kind.type === 'condition') continue;
    choices.set(
      graph.idOf(node),
      alternatives.flatMap(({ when }) => (when === null ? [] : [when])),
    );
  }
  return choices;
}

function verdictsOf(workflow: Workflow, graph: Graph): Map<number, PolicyVerdict> {
  const verdicts = new Map<number, PolicyVerdict>();
  for (const node of graph.reachable) {
    const verdict = policyVerdict(workflow, graph.node(node));
    if (verdict !== null) verdicts.set(node, verdict);
  }
  return verdicts;
}

function awaitedKeys(graph: Graph): Set<string> {
  const kinds = graph.reachable.map((node) => graph.node(node).kind);
  return new Set(kinds.flatMap((kind) => (kind.type === 'wait' && kind.condition !== 'timer' ? [kind.correlation_key] : [])));
}

/**
 * Names of the `env` values that steps read, and the language of their expressions: both are fixed when an execution starts. Work reads
 * those of its own time.
 */
function* readInSteps(graph: Graph, routes: readonly Routes[]): Pausing<Pick<Statics, 'envNames' | 'language'>> {
  const envNames = new Set<string>();
  let older = false;
  const read = (expression: Expression): void => {
    older ||= expression.older !== undefined;
    for (const { root, path } of references(expression)) if (root === 'env') envNames.add(path[0] ?? '');
  };
  for (const own of routes) {
    for (const alternatives of Object.values(own))
      for (const { when } of alternatives ?? []) if (when !== null) read(compileExpression(when));
    yield;
  }
  for (const node of graph.reachable) {
    for (const expression of compileTemplate(mappingInStep(graph.node(node).kind)).expressions) read(expression);
    yield;
  }
  return { envNames: [...envNames], language: older ? LANGUAGE : FIRST_LANGUAGE };
}

function mappingInStep(kind: Node['kind']): Json {
  if (kind.type === 'human_approval') return kind.description;
  return kind.type === 'subgraph' ? kind.output_mapping : null;
}

import type { Cooperative } from '../cooperative.ts';
import { compileExpression, type Expression } from '../expression/index.ts';
import { compileTemplate, type Template } from '../expression/template.ts';
import { BitSet } from '../graph/bit-set.ts';
import type { GraphEdge } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Loop } from '../graph/loops.ts';
import type { Node, Workflow } from '../ir/workflow.ts';
import { definitionOf } from '../nodes/index.ts';
import type { ItemWork, ModelCall, Scoring } from '../nodes/kind.ts';
import type { PolicyVerdict } from '../policy.ts';
import type { DataRules } from '../redaction/rules.ts';
import type { BudgetAction, BudgetRoute } from './budget-action.ts';
import { NO_NODE } from './convergence.ts';
import { skippedWhileInside } from './dead-paths.ts';
import type { InternalState } from './internal-state.ts';
import type { Judged } from './judged.ts';
import type { LateNames } from './late-names.ts';
import type { Alternative, OutcomeRoutes } from './outcome-routes.ts';
import type { OutputUse } from './output-use.ts';
import type { Fork, Plan, SubgraphPlan } from './plan.ts';
import type { TimerPurpose } from './timers.ts';

/** Lookup tables of a compiled workflow for guards and actions. They do not change while executions run. */
export interface ProgramTables {
  readonly workflow: Workflow;
  readonly graph: Graph;
  readonly outputUse: OutputUse;
  readonly verdicts: ReadonlyMap<string, PolicyVerdict>;
  /** Policy names that are known only when the node begins, by node id. */
  readonly lateNames: ReadonlyMap<string, LateNames>;
  /** The tool calls that nodes of agents carry out, by node id. */
  readonly modelCalls: ReadonlyMap<string, ModelCall>;
  readonly internalState: InternalState;
  /** What nodes that ask a policy judge, by node id. */
  readonly judged: ReadonlyMap<string, Judged>;
  /** How personal data is protected; null = the workflow has no data policy. */
  readonly dataRules: DataRules | null;
  /** Has the machine a state in which the node awaits an approval by the policy of its workflow? */
  hasApprovalState(node: string): boolean;
  readonly subgraphs: ReadonlyMap<string, SubgraphTable>;
  /** Nodes of each branch. */
  readonly branchNodes: ReadonlyMap<string, BitSet>;
  /** Nodes inside each fork and subgraph. */
  readonly containedNodes: ReadonlyMap<string, BitSet>;
  /** Keys of the forks and subgraphs inside a fork, its own included. */
  readonly nestedKeys: ReadonlyMap<string, readonly string[]>;
  /** The join of each fork and subgraph, unless it is that of the enclosing fork too. */
  readonly joins: ReadonlyMap<string, string>;
  readonly timers: ReadonlyMap<string, TimerPurpose>;
  /** How nodes score the work before them, by node id. */
  readonly scorings: ReadonlyMap<string, Scoring>;
  /** Nodes whose duration and cost are scored, with the nodes that score them. */
  readonly measured: ReadonlyMap<string, readonly string[]>;
  /** Correlation keys of events that nodes wait for. */
  readonly correlationKeys: ReadonlySet<string>;
  /** Has it a durable function, which may wait for events of any key? */
  readonly hasJournals: boolean;
  readonly budgetAction: BudgetAction;
  /** Of the action `route`. */
  readonly budgetRoute: BudgetRoute | null;
  /** Names that steps read from `env`. */
  readonly envNames: readonly string[];
  nodeOf(id: string): Node;
  expression(text: string): Expression;
  template(node: number): Template | null;
  /** The list whose items a node works on, and what is kept of their results; null = the node works on none. */
  itemTemplates(node: number): ItemTemplates | null;
  /** The mapping of a child's final state; null = the node has none. */
  outputMapping(node: number): Template | null;
  /** Per node, by index. */
  readonly routes: readonly OutcomeRoutes[];
  /** The alternatives of the nodes that choose one of several, by node id. */
  readonly choices: ReadonlyMap<string, readonly Alternative[]>;
}

export interface ItemTemplates {
  readonly items: Expression | Template;
  readonly output: Template | null;
}

/** Positions of a subgraph's edges and nodes in the stored state of the subgraph, and what depends on them. */
export interface SubgraphTable {
  readonly subgraph: SubgraphPlan;
  /** The join comes last. */
  readonly nodeSlots: ReadonlyMap<number, number>;
  readonly edgeSlots: ReadonlyMap<GraphEdge, number>;
  /** Forward edges into a node, among those of the subgraph. */
  readonly into: ReadonlyMap<number, readonly GraphEdge[]>;
  readonly outOf: ReadonlyMap<number, readonly GraphEdge[]>;
  /** Nodes that may become decided when a node's out-edges are. */
  readonly dependants: ReadonlyMap<number, readonly number[]>;
  /** Loops that an edge leaves. */
  readonly exitedLoops: ReadonlyMap<GraphEdge, readonly Loop[]>;
  /** Loops around the subgraph that can iterate from inside it; null = none, or no node outside depends on it. */
  readonly enclosingLoops: EnclosingLoops | null;
}

export interface EnclosingLoops {
  /** Back edges by the node of the subgraph that they start from. */
  readonly backEdges: ReadonlyMap<number, readonly GraphEdge[]>;
  /** The nodes of the branch that contains the subgraph; null = all. */
  readonly within: BitSet | null;
}

export function* subgraphTable(graph: Graph, subgraph: SubgraphPlan, within: BitSet | null): Cooperative<SubgraphTable> {
  const members = subgraph.join === NO_NODE ? subgraph.nodes : [...subgraph.nodes, subgraph.join];
  const nodeSlots = new Map(members.map((node, i) => [node, i]));
  const edgeSlots = new Map(subgraph.edges.map((edge, i) => [edge, i]));
  const into = new Map<number, GraphEdge[]>();
  const outOf = new Map<number, GraphEdge[]>();
  const dependants = new Map<number, number[]>();
  const exitedLoops = new Map<GraphEdge, readonly Loop[]>();
  const push = <V>(map: Map<number, V[]>, key: number, value: V): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [value]);
    else list.push(value);
  };
  for (const edge of subgraph.edges) {
    yield;
    push(outOf, edge.from, edge);
    if (graph.backEdges.has(edge)) {
      for (const loop of graph.enclosingLoops(edge.from)) for (const exit of loop.exits) push(dependants, edge.from, exit.to);
    } else {
      push(into, edge.to, edge);
      push(dependants, edge.from, edge.to);
    }
    exitedLoops.set(
      edge,
      graph.enclosingLoops(edge.from).filter((loop) => !loop.body.has(edge.to)),
    );
  }
  const enclosingLoops = enclosingLoopsOf(graph, subgraph, within);
  return {
    subgraph,
    nodeSlots,
    edgeSlots,
    into,
    outOf,
    dependants: uniqueMembers(dependants, nodeSlots),
    exitedLoops,
    enclosingLoops,
  };
}

function enclosingLoopsOf(graph: Graph, subgraph: SubgraphPlan, within: BitSet | null): EnclosingLoops | null {
  const backs = new Map<number, readonly GraphEdge[]>();
  for (const node of subgraph.nodes) {
    const own = graph.out(node).filter((edge) => graph.backEdges.has(edge));
    if (own.length > 0) backs.set(node, own);
  }
  const isBeside = backs.size === 0 || skippedWhileInside(graph, subgraph, new Set(backs.keys()), within).isEmpty();
  return isBeside ? null : { backEdges: backs, within };
}

function uniqueMembers(
  watchers: ReadonlyMap<number, readonly number[]>,
  slots: ReadonlyMap<number, number>,
): Map<number, number[]> {
  return new Map([...watchers].map(([node, list]) => [node, [...new Set(list)].filter((watcher) => slots.has(watcher))]));
}

/** Tables of the forks, branches and subgraphs of a plan, by key. */
export function* planTables(
  graph: Graph,
  plan: Plan,
): Cooperative<Pick<ProgramTables, 'subgraphs' | 'branchNodes' | 'containedNodes' | 'nestedKeys' | 'joins'>> {
  const subgraphs = new Map<string, SubgraphTable>();
  const branchNodes = new Map<string, BitSet>();
  const containedNodes = new Map<string, BitSet>();
  const nestedKeys = new Map<string, readonly string[]>();
  const joins = new Map<string, string>();
  function* visitPlan(inner: Plan, exit: number, within: BitSet | null): Cooperative<string[]> {
    const keys: string[] = [];
    for (const subgraph of [...inner.subgraphs.values(), ...(inner.whole === null ? [] : [inner.whole])]) {
      subgraphs.set(subgraph.key, yield* subgraphTable(graph, subgraph, within));
      const inside = new BitSet(graph.nodes.length);
      for (const node of subgraph.nodes) inside.add(node);
      containedNodes.set(subgraph.key, inside);
      if (subgraph.join !== exit) joins.set(subgraph.key, graph.idOf(subgraph.join));
      keys.push(subgraph.key);
    }
    for (const fork of new Set(inner.forks.values())) keys.push(...(yield* visitFork(fork, exit)));
    return keys;
  }
  function* visitFork(fork: Fork, exit: number): Cooperative<string[]> {
    const keys = [fork.key];
    const inside = new BitSet(graph.nodes.length);
    containedNodes.set(fork.key, inside);
    if (fork.join !== exit) joins.set(fork.key, graph.idOf(fork.join));
    for (const branch of fork.branches) {
      yield;
      inside.addAll(branch.nodes);
      branchNodes.set(branch.key, branch.nodes);
      keys.push(...(yield* visitPlan(branch.plan, fork.join, branch.nodes)));
      if (branch.entry !== null && typeof branch.entry !== 'number') keys.push(...(yield* visitFork(branch.entry, fork.join)));
    }
    nestedKeys.set(fork.key, keys);
    return keys;
  }
  yield* visitPlan(plan, NO_NODE, null);
  return { subgraphs, branchNodes, containedNodes, nestedKeys, joins };
}

/** Caches of compiled texts. Bounded, because only texts of the workflow are asked for. */
export function compiledTexts(graph: Graph): Pick<ProgramTables, 'expression' | 'template' | 'itemTemplates' | 'outputMapping'> {
  const expressions = new Map<string, Expression>();
  const templates = new Map<number, Template | null>();
  const itemTemplates = new Map<number, ItemTemplates | null>();
  const outputMappings = new Map<number, Template | null>();
  return {
    expression(text) {
      let found = expressions.get(text);
      if (found === undefined) {
        found = compileExpression(text);
        expressions.set(text, found);
      }
      return found;
    },
    template(node) {
      let found = templates.get(node);
      if (found === undefined) {
        const { kind } = graph.node(node);
        const mapping = definitionOf(kind).startTemplate(kind)?.template ?? definitionOf(kind).mapping(kind);
        found = mapping === null ? null : compileTemplate(mapping);
        templates.set(node, found);
      }
      return found;
    },
    itemTemplates(node) {
      let found = itemTemplates.get(node);
      if (found === undefined) {
        const { kind } = graph.node(node);
        const work = definitionOf(kind).itemWork(kind);
        found = work === null ? null : itemTemplatesOf(work);
        itemTemplates.set(node, found);
      }
      return found;
    },
    outputMapping(node) {
      let found = outputMappings.get(node);
      if (found === undefined) {
        const { kind } = graph.node(node);
        const mapping = definitionOf(kind).outputMapping(kind);
        found = mapping === null ? null : compileTemplate(mapping);
        outputMappings.set(node, found);
      }
      return found;
    },
  };
}

function itemTemplatesOf({ items, output }: ItemWork): ItemTemplates {
  return {
    items: typeof items === 'string' ? compileExpression(items) : compileTemplate(items),
    output: output === null ? null : compileTemplate(output),
  };
}

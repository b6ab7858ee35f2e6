import { compileExpression, type Expression } from '../expression.ts';
import { Bits } from '../graph/bits.ts';
import type { GraphEdge } from '../graph/edges.ts';
import type { Graph } from '../graph/graph.ts';
import type { Loop } from '../graph/loops.ts';
import type { Node, Workflow } from '../ir/workflow.ts';
import type { Json } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import type { PolicyVerdict } from '../policy.ts';
import type { Evaluation } from '../step/evaluation.ts';
import { FIRST_RULES, RULES } from '../step/rules.ts';
import { compileTemplate, type Template } from '../template.ts';
import type { OutputUse } from './outputs.ts';
import { FIRST_LAYOUT, type Fork, type Plan, type Section } from './shapes.ts';
import { skippedMeanwhile } from './skips.ts';
import { NONE } from './sweep.ts';
import type { ArmedFor } from './timers.ts';

/** What guards and actions look up besides their parameters: nothing here changes while executions run. */
export interface Statics {
  readonly workflow: Workflow;
  readonly graph: Graph;
  readonly use: OutputUse;
  readonly verdicts: ReadonlyMap<string, PolicyVerdict>;
  readonly sections: ReadonlyMap<string, SectionTable>;
  /** Nodes of each branch. */
  readonly bodies: ReadonlyMap<string, Bits>;
  /** Nodes inside each fork and section. */
  readonly insides: ReadonlyMap<string, Bits>;
  /** Forks and sections inside a fork, itself included. */
  readonly nested: ReadonlyMap<string, readonly string[]>;
  /** Where the ways of a fork or section meet, unless that is where the fork around it meets too. */
  readonly joins: ReadonlyMap<string, string>;
  readonly timers: ReadonlyMap<string, ArmedFor>;
  /** Correlation keys that some node waits for. */
  readonly awaited: ReadonlySet<string>;
  /** The newest rules by which its executions differ from those of older ones (`RULES`). */
  readonly rules: number;
  /** The newest layout of its sections (`Section.layout`). */
  readonly layout: number;
  /** Names that conditions read from `env`. */
  readonly envNames: readonly string[];
  /** The oldest language of expressions that has all that steps evaluate (`LANGUAGE`). */
  readonly language: number;
  nodeOf(id: string): Node;
  expression(text: string): Expression;
  template(node: number): Template | null;
  /** The output mapping of a subgraph node; null = it has none. */
  outputMapping(node: number): Template | null;
  /** Conditions of the nodes that choose among their ways when they complete, in order. */
  readonly choices: ReadonlyMap<string, readonly string[]>;
  /** Of the step at hand. */
  readonly evaluation: Evaluation;
}

/** Places of a section's edges and nodes in its bookkeeping. */
export interface SectionTable {
  readonly section: Section;
  /** The join comes last. */
  readonly slots: ReadonlyMap<number, number>;
  readonly marks: ReadonlyMap<GraphEdge, number>;
  /** Forward edges into a node, of those marked here. */
  readonly into: ReadonlyMap<number, readonly GraphEdge[]>;
  readonly outOf: ReadonlyMap<number, readonly GraphEdge[]>;
  /** Nodes whose fate may be decided when a node's out-edges are. */
  readonly watchers: ReadonlyMap<number, readonly number[]>;
  /** Loops an edge leaves. */
  readonly leaves: ReadonlyMap<GraphEdge, readonly Loop[]>;
  /** Loops around the section that can go round from inside it; null = none, or nothing outside hangs on it. */
  readonly around: Around | null;
}

export interface Around {
  /** Back edges by the node of the section they start from. */
  readonly backs: ReadonlyMap<number, readonly GraphEdge[]>;
  /** The nodes of the branch that the section lies in; null = all. */
  readonly within: Bits | null;
}

export function sectionTable(graph: Graph, section: Section, within: Bits | null): SectionTable {
  const members = section.join === NONE ? section.nodes : [...section.nodes, section.join];
  const slots = new Map(members.map((node, i) => [node, i]));
  const marks = new Map(section.edges.map((edge, i) => [edge, i]));
  const into = new Map<number, GraphEdge[]>();
  const outOf = new Map<number, GraphEdge[]>();
  const watchers = new Map<number, number[]>();
  const leaves = new Map<GraphEdge, readonly Loop[]>();
  const push = <V>(map: Map<number, V[]>, key: number, value: V): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [value]);
    else list.push(value);
  };
  for (const edge of section.edges) {
    push(outOf, edge.from, edge);
    if (graph.back.has(edge)) {
      for (const loop of graph.loopsAround(edge.from)) for (const exit of loop.exits) push(watchers, edge.from, exit.to);
    } else {
      push(into, edge.to, edge);
      push(watchers, edge.from, edge.to);
    }
    leaves.set(
      edge,
      graph.loopsAround(edge.from).filter((loop) => !loop.body.has(edge.to)),
    );
  }
  const around = aroundOf(graph, section, within);
  return { section, slots, marks, into, outOf, watchers: unique(watchers, slots), leaves, around };
}

function aroundOf(graph: Graph, section: Section, within: Bits | null): Around | null {
  const backs = new Map<number, readonly GraphEdge[]>();
  for (const node of section.nodes) {
    const own = graph.out(node).filter((edge) => graph.back.has(edge));
    if (own.length > 0) backs.set(node, own);
  }
  const isBeside = backs.size === 0 || skippedMeanwhile(graph, section, new Set(backs.keys()), within).isEmpty();
  return isBeside ? null : { backs, within };
}

function unique(watchers: ReadonlyMap<number, readonly number[]>, slots: ReadonlyMap<number, number>): Map<number, number[]> {
  return new Map([...watchers].map(([node, list]) => [node, [...new Set(list)].filter((watcher) => slots.has(watcher))]));
}

/** Every fork, branch and section of a plan, by key. */
export function lookUp(
  graph: Graph,
  plan: Plan,
): Pick<Statics, 'sections' | 'bodies' | 'insides' | 'nested' | 'joins' | 'rules' | 'layout'> {
  const sections = new Map<string, SectionTable>();
  const bodies = new Map<string, Bits>();
  const insides = new Map<string, Bits>();
  const nested = new Map<string, readonly string[]>();
  const joins = new Map<string, string>();
  const visitPlan = (inner: Plan, exit: number, within: Bits | null): string[] => {
    const keys: string[] = [];
    for (const section of [...inner.sections.values(), ...(inner.whole === null ? [] : [inner.whole])]) {
      sections.set(section.key, sectionTable(graph, section, within));
      const inside = new Bits(graph.nodes.length);
      for (const node of section.nodes) inside.add(node);
      insides.set(section.key, inside);
      if (section.join !== exit) joins.set(section.key, graph.idOf(section.join));
      keys.push(section.key);
    }
    for (const fork of new Set(inner.forks.values())) keys.push(...visitFork(fork, exit));
    return keys;
  };
  const visitFork = (fork: Fork, exit: number): string[] => {
    const keys = [fork.key];
    const inside = new Bits(graph.nodes.length);
    insides.set(fork.key, inside);
    if (fork.join !== exit) joins.set(fork.key, graph.idOf(fork.join));
    for (const branch of fork.branches) {
      inside.addAll(branch.nodes);
      bodies.set(branch.key, branch.nodes);
      keys.push(...visitPlan(branch.plan, fork.join, branch.nodes));
      if (branch.entry !== null && typeof branch.entry !== 'number') keys.push(...visitFork(branch.entry, fork.join));
    }
    nested.set(fork.key, keys);
    return keys;
  };
  visitPlan(plan, NONE, null);
  return { sections, bodies, insides, nested, joins, ...versionsOf(graph, sections.values()) };
}

function versionsOf(graph: Graph, sections: Iterable<SectionTable>): Pick<Statics, 'rules' | 'layout'> {
  const tables = [...sections];
  const hasLimit = graph.reachable.some((node) => graph.node(node).kind.type === 'limit_exceeded');
  return {
    rules: hasLimit || tables.some(({ around }) => around !== null) ? RULES : FIRST_RULES,
    layout: Math.max(FIRST_LAYOUT, ...tables.map(({ section }) => section.layout)),
  };
}

/** Compiles texts once and keeps them. Bounded by the workflow: only its own texts are asked for. */
export function texts(graph: Graph): Pick<Statics, 'expression' | 'template' | 'outputMapping'> {
  const expressions = new Map<string, Expression>();
  const templates = new Map<number, Template | null>();
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
        const mapping: Json | null = kind.type === 'human_approval' ? kind.description : definitionOf(kind).mapping(kind);
        found = mapping === null ? null : compileTemplate(mapping);
        templates.set(node, found);
      }
      return found;
    },
    outputMapping(node) {
      let found = outputMappings.get(node);
      if (found === undefined) {
        const { kind } = graph.node(node);
        const mapping = kind.type === 'subgraph' ? kind.output_mapping : {};
        found = typeof mapping !== 'string' && Object.keys(mapping).length === 0 ? null : compileTemplate(mapping);
        outputMappings.set(node, found);
      }
      return found;
    },
  };
}

import { skippedWhileInside } from '../compile/dead-paths.ts';
import type { EdgeDecisions } from '../compile/parameters.ts';
import { NO_NODE } from '../compile/plan/convergence.ts';
import type { SubgraphPlan } from '../compile/plan/plan.ts';
import type { ProgramTables, SubgraphTable } from '../compile/tables.ts';
import type { BitSet } from '../graph/bit-set.ts';
import type { GraphEdge } from '../graph/edges.ts';
import type { Json } from '../json.ts';
import { type Context, rulesOf, type SubgraphState } from './context.ts';
import { FIRST_RULES } from './rules.ts';

/** The context in the making around a section. Nodes are named by id, but for `skip`. */
interface SubgraphHost {
  readonly statics: ProgramTables;
  readonly now: Context;
  indexOf(node: string): number;
  /** An output on its way to a node that reads it; `adds` to those of other sources. */
  deliverInput(target: string, source: string, output: Json, adds: boolean): void;
  withdrawInput(target: string, source: string): void;
  /** What was on its way to the join behind the section will not be read. */
  clearJoinInputs(section: string): void;
  skip(index: number): void;
  /** Nodes outside the section that nothing can come to any more. */
  queueSkips(nodes: Iterable<number>): void;
}

/**
 * Decides inside a section. Each edge is undecided, live or dead; a node is decided when none of its forward in-edges is
 * undecided: it runs if one is live, else it is skipped. Skips and control nodes come first, lowest node first, one at a time;
 * then work, one at a time too, so that the order never depends on how a graph was cut into tracks.
 */
export class SubgraphContext {
  readonly #host: SubgraphHost;
  readonly #key: string;
  readonly #table: SubgraphTable;
  readonly #edgeStates: string[];
  readonly #nodeStates: string[];
  #running: number;
  #ready: number[];
  #rewindingLanes: readonly number[];
  #loop: string | null;
  #changed = false;
  /** Nodes from which no loop goes round any more. */
  #exhausted: ReadonlySet<number>;

  constructor(draft: SubgraphHost, key: string, table: SubgraphTable, state: SubgraphState) {
    this.#host = draft;
    this.#key = key;
    this.#table = table;
    this.#edgeStates = [...state.marks];
    this.#nodeStates = [...state.nodes];
    this.#running = state.running;
    this.#ready = [...state.ready];
    this.#rewindingLanes = state.rewinding;
    this.#loop = state.loop;
    this.#exhausted = this.#exhaustedNodes();
  }

  get plan(): SubgraphPlan {
    return this.#table.subgraph;
  }

  /** The section's bookkeeping if it is not as it was. */
  changedState(): SubgraphState | null {
    if (!this.#changed) return null;
    return {
      marks: this.#edgeStates.join(''),
      nodes: this.#nodeStates.join(''),
      running: this.#running,
      ready: this.#ready,
      rewinding: this.#rewindingLanes,
      loop: this.#loop,
    };
  }

  enter(owner: string | null, mark: EdgeDecisions, output: Json): void {
    const { subgraph: section } = this.#table;
    this.#host.clearJoinInputs(this.#key);
    if (section.owner === NO_NODE && section.entries.length === 0) {
      for (const id of mark.live) this.#forceEntry(this.#host.indexOf(id));
    } else {
      this.#decideEdges(section.entries, mark, section.owner === NO_NODE ? null : owner, output);
    }
    this.#advance();
  }

  /** A node is over, and its ways are chosen. */
  nodeFinished(node: string, mark: EdgeDecisions, output: Json): void {
    const index = this.#host.indexOf(node);
    this.#finishNode(index);
    this.#decideEdges(this.#table.outOf.get(index) ?? [], mark, node, output);
    this.#advance();
  }

  /** A failure nobody handles: nothing that depends on the node is ever decided. */
  nodeFailed(node: string): void {
    this.#finishNode(this.#host.indexOf(node));
    this.#advance();
  }

  /** A released node begins: the next one may. */
  nodeEntered(node: string): void {
    const index = this.#host.indexOf(node);
    this.#setNodeState(index, this.#host.statics.graph.isControl(index) ? 'k' : 'g');
    this.#advance();
  }

  /** A loop inside the section goes round: its nodes and their out-edges are as if they had never run. */
  iterate(node: string, head: string, output: Json): void {
    const { graph } = this.#host.statics;
    const { subgraph: section, nodeSlots: slots, edgeSlots: marks } = this.#table;
    const headIndex = this.#host.indexOf(head);
    const loop = graph.loops.find((candidate) => candidate.head === headIndex);
    if (loop === undefined) throw new TypeError(`no loop at ${head}`);
    this.#finishNode(this.#host.indexOf(node));
    for (const index of slots.keys()) if (loop.body.has(index)) this.#setNodeState(index, '.');
    for (const [edge, slot] of marks) {
      if (!loop.body.has(edge.from)) continue;
      this.#edgeStates[slot] = '.';
      this.#host.withdrawInput(graph.idOf(edge.to), graph.idOf(edge.from));
    }
    this.#ready = this.#ready.filter((index) => !loop.body.has(index));
    const here = this.#host.indexOf(node);
    this.#rewindingLanes = section.lanes.flatMap((track, i) =>
      !track.includes(here) && track.some((member) => loop.body.has(member)) ? [i] : [],
    );
    this.#loop = this.#rewindingLanes.length === 0 ? null : head;
    if (graph.node(headIndex).kind.type !== 'join') this.#host.deliverInput(head, node, output, false);
    this.#forceEntry(headIndex);
    this.#advance();
  }

  laneRewound(track: number): void {
    this.#rewindingLanes = this.#rewindingLanes.filter((other) => other !== track);
    if (this.#rewindingLanes.length === 0) this.#loop = null;
    this.#changed = true;
  }

  /** Nodes a first-wins join has closed: they are over, and all their out-edges are dead. */
  closeNodes(closed: readonly number[]): void {
    const inside = closed.filter((index) => this.#table.nodeSlots.has(index));
    for (const index of inside) {
      const state = this.#nodeState(index);
      const out = this.#table.outOf.get(index) ?? [];
      // What is over has decided edges, unless it failed.
      if (state === 'c' || (state === 'x' && out.every((edge) => this.#edgeState(edge) !== '.'))) continue;
      if (state === 'g') this.#running -= 1;
      if (state !== 'x') this.#setNodeState(index, 'c');
      this.#markDead(out);
    }
    this.#ready = this.#ready.filter((index) => !inside.includes(index));
    for (const index of inside) this.#recheckDependents(index);
    this.#skipAfterOuterLoops();
  }

  // ------------------------------------------------------------------ deciding

  /** Marks edges: those to live targets live; extra in-edges of joins live when the node completed; all else dead. */
  #decideEdges(edges: readonly GraphEdge[], mark: EdgeDecisions, source: string | null, output: Json): void {
    const { graph } = this.#host.statics;
    const receivers = new Set<number>();
    const taken = new Set<number>();
    for (const edge of edges) {
      // Of several edges to one target a node takes one; which of them makes no difference.
      const chosen = !graph.backEdges.has(edge) && !taken.has(edge.to) && mark.live.includes(graph.idOf(edge.to));
      const isLive = edge.role === 'wait' ? mark.failed !== true : chosen;
      if (isLive) taken.add(edge.to);
      this.#edgeStates[this.#edgeSlot(edge)] = isLive ? 'l' : 'd';
      if (isLive && this.#nodeState(edge.to) === '.') receivers.add(edge.to);
    }
    this.#changed = true;
    if (source !== null) for (const target of receivers) this.#host.deliverInput(graph.idOf(target), source, output, true);
    for (const index of new Set(edges.map((edge) => edge.from))) this.#recheckDependents(index);
  }

  /** Looks again at the nodes whose fate hangs on a node's out-edges. */
  #recheckDependents(index: number): void {
    for (const watcher of this.#table.dependants.get(index) ?? []) {
      if (this.#nodeState(watcher) !== '.' || this.#ready.includes(watcher)) continue;
      if (this.#decisionFor(watcher) !== 'undecided') this.#ready.push(watcher);
    }
  }

  #decisionFor(index: number): 'run' | 'skip' | 'undecided' {
    if (this.#nodeState(index) === 'e') return 'run';
    const states = (this.#table.into.get(index) ?? []).map((edge) => this.#effectiveEdgeState(edge));
    if (this.#host.statics.graph.isFirstJoin(index) && states.includes('l')) return 'run';
    if (states.length === 0 || states.includes('.')) return 'undecided';
    return states.includes('l') ? 'run' : 'skip';
  }

  /** An edge that leaves a loop is dead, and an extra in-edge of a join outside live, only once the loop cannot go round again. */
  #effectiveEdgeState(edge: GraphEdge): string {
    const state = this.#edgeState(edge);
    if (state === '.' || (state === 'l' && edge.role !== 'wait')) return state;
    for (const loop of this.#table.exitedLoops.get(edge) ?? []) {
      if (loop.backEdges.some((back) => this.#table.edgeSlots.has(back) && this.#effectiveEdgeState(back) === '.')) return '.';
    }
    return state;
  }

  #advance(): void {
    this.#releaseNext();
    this.#skipAfterOuterLoops();
  }

  /** Skips what is to be skipped, then releases the next node, unless one that was released has yet to begin. */
  #releaseNext(): void {
    const { graph } = this.#host.statics;
    const { join } = this.#table.subgraph;
    while (this.#host.now.halt === null && !this.#nodeStates.includes('r') && !this.#nodeStates.includes('k')) {
      this.#ready.sort((a, b) => a - b);
      const first = this.#ready.find((index) => graph.isControl(index) || this.#decisionFor(index) === 'skip') ?? this.#ready[0];
      if (first === undefined) return;
      const skips = this.#decisionFor(first) === 'skip';
      this.#ready = this.#ready.filter((index) => index !== first);
      if (!skips && first !== join) this.#running += 1;
      this.#setNodeState(first, skips ? 'x' : 'r');
      if (!skips) return;
      if (first === join) continue;
      this.#host.skip(first);
      this.#markDead(this.#table.outOf.get(first) ?? []);
      this.#recheckDependents(first);
    }
  }

  /** What only a loop around the section could have come to is skipped as soon as that cannot go round any more. */
  #skipAfterOuterLoops(): void {
    const exhausted = this.#exhaustedNodes();
    if (exhausted.size === this.#exhausted.size) return;
    const unreachable = this.#skippedBy(exhausted);
    unreachable.removeAll(this.#skippedBy(this.#exhausted));
    this.#exhausted = exhausted;
    this.#host.queueSkips(unreachable);
  }

  /** What lies outside the section and has been skipped since it was entered. */
  skippedSinceEntry(): BitSet {
    return this.#skippedBy(this.#exhaustedNodes());
  }

  #skippedBy(exhausted: ReadonlySet<number>): BitSet {
    return skippedWhileInside(
      this.#host.statics.graph,
      this.#table.subgraph,
      exhausted,
      this.#table.enclosingLoops?.within ?? null,
    );
  }

  #exhaustedNodes(): ReadonlySet<number> {
    const { enclosingLoops: around } = this.#table;
    const exhausted = new Set<number>();
    if (around === null || rulesOf(this.#host.now) === FIRST_RULES) return exhausted;
    for (const [node, backs] of around.backEdges)
      if (backs.every((edge) => this.#effectiveEdgeState(edge) === 'd')) exhausted.add(node);
    return exhausted;
  }

  /** The head of a loop that goes round again, or the first node of all, runs whatever leads to it. */
  #forceEntry(index: number): void {
    this.#setNodeState(index, 'e');
    this.#ready.push(index);
  }

  #finishNode(index: number): void {
    if ('gk'.includes(this.#nodeState(index))) this.#running -= 1;
    this.#setNodeState(index, 'x');
  }

  #markDead(edges: readonly GraphEdge[]): void {
    for (const edge of edges) this.#edgeStates[this.#edgeSlot(edge)] = 'd';
    this.#changed = true;
  }

  /** Before the section is forgotten: what reaches its join came by live edges only. */
  withdrawDeadInputs(): void {
    const { join } = this.#table.subgraph;
    if (join === NO_NODE) return;
    const { graph } = this.#host.statics;
    const live = this.liveSources(join);
    for (const edge of this.#table.into.get(join) ?? []) {
      const source = graph.idOf(edge.from);
      if (!live.has(source)) this.#host.withdrawInput(graph.idOf(join), source);
    }
  }

  /** Ids of the nodes whose edge into `join` is live. */
  liveSources(join: number): Set<string> {
    const { graph } = this.#host.statics;
    const live = (this.#table.into.get(join) ?? []).filter((edge) => this.#effectiveEdgeState(edge) === 'l');
    return new Set(live.map((edge) => graph.idOf(edge.from)));
  }

  has(index: number): boolean {
    return this.#table.nodeSlots.has(index);
  }

  #edgeSlot(edge: GraphEdge): number {
    const slot = this.#table.edgeSlots.get(edge);
    if (slot === undefined) throw new TypeError(`edge ${edge.index} is not marked in section ${this.#key}`);
    return slot;
  }

  #edgeState(edge: GraphEdge): string {
    return this.#edgeStates[this.#edgeSlot(edge)] ?? '.';
  }

  #nodeState(index: number): string {
    return this.#nodeStates[this.#table.nodeSlots.get(index) ?? -1] ?? '.';
  }

  #setNodeState(index: number, state: string): void {
    const slot = this.#table.nodeSlots.get(index);
    if (slot === undefined) throw new TypeError(`node ${index} is not in section ${this.#key}`);
    this.#nodeStates[slot] = state;
    this.#changed = true;
  }
}

export function emptySubgraphState(table: SubgraphTable): SubgraphState {
  return {
    marks: '.'.repeat(table.subgraph.edges.length),
    nodes: '.'.repeat(table.nodeSlots.size),
    running: 0,
    ready: [],
    rewinding: [],
    loop: null,
  };
}

export function nodeStateOf(table: SubgraphTable, state: SubgraphState, index: number): string {
  return state.nodes[table.nodeSlots.get(index) ?? -1] ?? '.';
}

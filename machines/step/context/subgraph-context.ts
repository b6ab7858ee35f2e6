import type { BitSet } from '../../graph/bit-set.ts';
import type { GraphEdge } from '../../graph/edges.ts';
import type { Json } from '../../json.ts';
import { definitionOf } from '../../nodes/index.ts';
import { NO_NODE } from '../../program/convergence.ts';
import { skippedWhileInside } from '../../program/dead-paths.ts';
import type { EdgeDecisions } from '../../program/parameters.ts';
import type { SubgraphPlan } from '../../program/plan.ts';
import type { ProgramTables, SubgraphTable } from '../../program/tables.ts';
import type { Context, Halt, SubgraphState } from './context.ts';
import type { PendingInputs } from './pending-inputs.ts';
import { EDGE, type EdgeState, NODE, type NodeState } from './subgraph-state.ts';

/** The part of the step context that a subgraph uses. Nodes are named by id, except for skips. */
interface SubgraphHost {
  readonly tables: ProgramTables;
  readonly now: Context;
  readonly halt: Halt | null;
  indexOf(node: string): number;
  readonly inputs: Pick<PendingInputs, 'deliver' | 'withdraw' | 'clearJoin'>;
  skip(index: number): void;
  /** Skips nodes outside the subgraph that can no longer be reached. */
  queueSkips(nodes: Iterable<number>): void;
}

/**
 * Decides which nodes of a subgraph run. Each edge is undecided, live or dead; a node is decided when none of its forward in-edges is
 * undecided: it runs if one is live, otherwise it is skipped. Skips and control nodes come first, lowest node first, one at a time;
 * then work, also one at a time, so that the order never depends on how a graph was cut into lanes.
 */
export class SubgraphContext {
  readonly #host: SubgraphHost;
  readonly #key: string;
  readonly #table: SubgraphTable;
  /** Strings as stored; arrays from the first change on. */
  #edgeStates: string | EdgeState[];
  #nodeStates: string | NodeState[];
  #running: number;
  /** Nodes that are decided and wait for their turn. Empty between steps. */
  #ready: number[] = [];
  /** Lanes that have yet to go back to the start of a loop, and the head of the loop. Empty and null between steps. */
  #rewindingLanes: readonly number[] = [];
  #loop: string | null = null;
  /** Nodes whose state has changed; null = nothing that a guard reads has. */
  #changed: Set<number> | null = null;
  /** Nodes none of whose back edges can be taken any more. */
  #exhausted: ReadonlySet<number>;

  constructor(host: SubgraphHost, key: string, table: SubgraphTable, state: SubgraphState) {
    this.#host = host;
    this.#key = key;
    this.#table = table;
    this.#edgeStates = state.edges;
    this.#nodeStates = state.nodes;
    this.#running = state.running;
    this.#exhausted = this.#exhaustedNodes();
  }

  get plan(): SubgraphPlan {
    return this.#table.subgraph;
  }

  /** The state to be stored; null = unchanged. */
  changedState(): SubgraphState | null {
    if (typeof this.#edgeStates === 'string' && typeof this.#nodeStates === 'string') return null;
    return { edges: textOf(this.#edgeStates), nodes: textOf(this.#nodeStates), running: this.#running };
  }

  /** The nodes whose state has changed since the last call; null = nothing that a guard reads has. */
  takeChangedNodes(): readonly number[] | null {
    const changed = this.#changed;
    this.#changed = null;
    return changed === null ? null : [...changed];
  }

  /** Does nothing run, and is nothing about to? */
  get isSettled(): boolean {
    return this.#running === 0 && this.#ready.length === 0 && this.#rewindingLanes.length === 0;
  }

  /** Does the lane have to go back to the start of the loop with this head? */
  isRewinding(lane: number, loop: string | undefined): boolean {
    return this.#loop === loop && this.#rewindingLanes.includes(lane);
  }

  enter(owner: string | null, decisions: EdgeDecisions, output: Json): void {
    const { subgraph } = this.#table;
    this.#host.inputs.clearJoin(this.#key);
    if (subgraph.owner === NO_NODE && subgraph.entries.length === 0) {
      for (const id of decisions.live) this.#forceEntry(this.#host.indexOf(id));
    } else {
      this.#decideEdges(subgraph.entries, decisions, subgraph.owner === NO_NODE ? null : owner, output);
    }
    this.#advance();
  }

  /** A node has finished, and its transition is chosen. */
  nodeFinished(node: string, decisions: EdgeDecisions, output: Json): void {
    const index = this.#host.indexOf(node);
    this.#finishNode(index);
    this.#decideEdges(this.#table.outOf.get(index) ?? [], decisions, node, output);
    this.#advance();
  }

  /** A failure without a handler: the node's out-edges stay undecided, and so does what depends on it. */
  nodeFailed(node: string): void {
    this.#finishNode(this.#host.indexOf(node));
    this.#advance();
  }

  /** A released node has begun, so the next one may be released. */
  nodeEntered(node: string): void {
    const index = this.#host.indexOf(node);
    this.#setNodeState(index, this.#host.tables.graph.isControl(index) ? NODE.passing : NODE.running);
    this.#advance();
  }

  /** A loop inside the subgraph iterates again: its nodes and their out-edges become undecided. */
  iterate(node: string, head: string, output: Json): void {
    const { graph } = this.#host.tables;
    const { subgraph, nodeSlots, edgeSlots } = this.#table;
    const headIndex = this.#host.indexOf(head);
    const loop = graph.loops.find((candidate) => candidate.head === headIndex);
    if (loop === undefined) throw new TypeError(`no loop at ${head}`);
    this.#finishNode(this.#host.indexOf(node));
    for (const index of nodeSlots.keys()) if (loop.body.has(index)) this.#setNodeState(index, NODE.undecided);
    for (const edge of edgeSlots.keys()) {
      if (!loop.body.has(edge.from)) continue;
      this.#setEdgeState(edge, EDGE.undecided);
      this.#host.inputs.withdraw(graph.idOf(edge.to), graph.idOf(edge.from));
    }
    this.#ready = this.#ready.filter((index) => !loop.body.has(index));
    const here = this.#host.indexOf(node);
    this.#rewindingLanes = subgraph.lanes.flatMap((lane, i) =>
      !lane.includes(here) && lane.some((member) => loop.body.has(member)) ? [i] : [],
    );
    this.#loop = this.#rewindingLanes.length === 0 ? null : head;
    const { kind } = graph.node(headIndex);
    if (definitionOf(kind).joins(kind) === null) this.#host.inputs.deliver(head, node, output, false);
    this.#forceEntry(headIndex);
    this.#advance();
  }

  laneRewound(lane: number): void {
    this.#changed ??= new Set();
    this.#rewindingLanes = this.#rewindingLanes.filter((other) => other !== lane);
    if (this.#rewindingLanes.length === 0) this.#loop = null;
  }

  /** Closes nodes that a first-wins join has cancelled or kept from starting: all their out-edges are dead. */
  closeNodes(closed: readonly number[]): void {
    const inside = closed.filter((index) => this.#table.nodeSlots.has(index));
    for (const index of inside) {
      const state = this.nodeState(index);
      const out = this.#table.outOf.get(index) ?? [];
      // The edges of a finished node are decided already, unless it failed.
      if (state === NODE.closed || (state === NODE.over && out.every((edge) => this.#edgeState(edge) !== EDGE.undecided)))
        continue;
      if (state === NODE.running) this.#running -= 1;
      if (state !== NODE.over) this.#setNodeState(index, NODE.closed);
      this.#markDead(out);
    }
    this.#ready = this.#ready.filter((index) => !inside.includes(index));
    for (const index of inside) this.#recheckDependents(index);
    this.#skipAfterOuterLoops();
  }

  // ------------------------------------------------------------------ deciding

  /** Edges to the live targets become live, and extra in-edges of joins when the node completed; all others become dead. */
  #decideEdges(edges: readonly GraphEdge[], decisions: EdgeDecisions, source: string | null, output: Json): void {
    const { graph } = this.#host.tables;
    const receivers = new Set<number>();
    const taken = new Set<number>();
    for (const edge of edges) {
      // Of several edges to one target a node takes one; it does not matter which.
      const chosen = !graph.backEdges.has(edge) && !taken.has(edge.to) && decisions.live.includes(graph.idOf(edge.to));
      const isLive = edge.role === 'wait' ? decisions.failed !== true : chosen;
      if (isLive) taken.add(edge.to);
      this.#setEdgeState(edge, isLive ? EDGE.live : EDGE.dead);
      if (isLive && this.nodeState(edge.to) === NODE.undecided) receivers.add(edge.to);
    }
    if (source !== null) for (const target of receivers) this.#host.inputs.deliver(graph.idOf(target), source, output, true);
    for (const index of new Set(edges.map((edge) => edge.from))) this.#recheckDependents(index);
  }

  /** Checks again the nodes that depend on a node's out-edges. */
  #recheckDependents(index: number): void {
    for (const dependant of this.#table.dependants.get(index) ?? []) {
      if (this.nodeState(dependant) !== NODE.undecided || this.#ready.includes(dependant)) continue;
      if (this.#decisionFor(dependant) !== 'undecided') this.#ready.push(dependant);
    }
  }

  #decisionFor(index: number): 'run' | 'skip' | 'undecided' {
    if (this.nodeState(index) === NODE.forced) return 'run';
    const states = (this.#table.into.get(index) ?? []).map((edge) => this.#effectiveEdgeState(edge));
    if (this.#host.tables.graph.isFirstJoin(index) && states.includes(EDGE.live)) return 'run';
    if (states.length === 0 || states.includes(EDGE.undecided)) return 'undecided';
    return states.includes(EDGE.live) ? 'run' : 'skip';
  }

  /** Loop exits count as dead, and extra in-edges of a join outside the loop as live, only after the loop can no longer iterate. */
  #effectiveEdgeState(edge: GraphEdge): EdgeState {
    const state = this.#edgeState(edge);
    if (state === EDGE.undecided || (state === EDGE.live && edge.role !== 'wait')) return state;
    for (const loop of this.#table.exitedLoops.get(edge) ?? []) {
      const mayIterate = loop.backEdges.some(
        (back) => this.#table.edgeSlots.has(back) && this.#effectiveEdgeState(back) === EDGE.undecided,
      );
      if (mayIterate) return EDGE.undecided;
    }
    return state;
  }

  #advance(): void {
    this.#releaseNext();
    this.#skipAfterOuterLoops();
  }

  /** Skips nodes until one can be released; releases none while an earlier one has yet to begin. */
  #releaseNext(): void {
    const { graph } = this.#host.tables;
    const { join } = this.#table.subgraph;
    while (this.#host.halt === null && !this.#has(NODE.released) && !this.#has(NODE.passing)) {
      this.#ready.sort((a, b) => a - b);
      const first = this.#ready.find((index) => graph.isControl(index) || this.#decisionFor(index) === 'skip') ?? this.#ready[0];
      if (first === undefined) return;
      const skips = this.#decisionFor(first) === 'skip';
      this.#ready = this.#ready.filter((index) => index !== first);
      if (!skips && first !== join) this.#running += 1;
      this.#setNodeState(first, skips ? NODE.over : NODE.released);
      if (!skips) return;
      if (first === join) continue;
      this.#host.skip(first);
      this.#markDead(this.#table.outOf.get(first) ?? []);
      this.#recheckDependents(first);
    }
  }

  /** Skips nodes outside the subgraph that only a loop around it could have reached, once that loop can no longer iterate. */
  #skipAfterOuterLoops(): void {
    const exhausted = this.#exhaustedNodes();
    const before = this.#exhausted;
    this.#exhausted = exhausted;
    if (exhausted.size === before.size) return;
    const unreachable = this.#skippedBy(exhausted);
    unreachable.removeAll(this.#skippedBy(before));
    this.#host.queueSkips(unreachable);
  }

  /** The nodes outside the subgraph that have been skipped since it was entered. */
  skippedSinceEntry(): BitSet {
    return this.#skippedBy(this.#exhaustedNodes());
  }

  #skippedBy(exhausted: ReadonlySet<number>): BitSet {
    const { subgraph, enclosingLoops } = this.#table;
    return skippedWhileInside(this.#host.tables.graph, subgraph, exhausted, enclosingLoops?.within ?? null);
  }

  #exhaustedNodes(): ReadonlySet<number> {
    const { enclosingLoops } = this.#table;
    const exhausted = new Set<number>();
    if (enclosingLoops === null) return exhausted;
    for (const [node, backEdges] of enclosingLoops.backEdges)
      if (backEdges.every((edge) => this.#effectiveEdgeState(edge) === EDGE.dead)) exhausted.add(node);
    return exhausted;
  }

  /** The node runs whatever its in-edges say. */
  #forceEntry(index: number): void {
    this.#setNodeState(index, NODE.forced);
    this.#ready.push(index);
  }

  #finishNode(index: number): void {
    const state = this.nodeState(index);
    if (state === NODE.running || state === NODE.passing) this.#running -= 1;
    this.#setNodeState(index, NODE.over);
  }

  #markDead(edges: readonly GraphEdge[]): void {
    for (const edge of edges) this.#setEdgeState(edge, EDGE.dead);
  }

  /** Withdraws from the join behind the subgraph what came by dead edges, before the subgraph is forgotten. */
  withdrawDeadInputs(): void {
    const { join } = this.#table.subgraph;
    if (join === NO_NODE) return;
    const { graph } = this.#host.tables;
    const live = this.liveSources(join);
    for (const edge of this.#table.into.get(join) ?? []) {
      const source = graph.idOf(edge.from);
      if (!live.has(source)) this.#host.inputs.withdraw(graph.idOf(join), source);
    }
  }

  /** Ids of the nodes whose edge into `join` is live. */
  liveSources(join: number): Set<string> {
    const { graph } = this.#host.tables;
    const live = (this.#table.into.get(join) ?? []).filter((edge) => this.#effectiveEdgeState(edge) === EDGE.live);
    return new Set(live.map((edge) => graph.idOf(edge.from)));
  }

  has(index: number): boolean {
    return this.#table.nodeSlots.has(index);
  }

  nodeState(index: number): NodeState {
    return (this.#nodeStates[this.#table.nodeSlots.get(index) ?? -1] ?? NODE.undecided) as NodeState;
  }

  #edgeState(edge: GraphEdge): EdgeState {
    return (this.#edgeStates[this.#edgeSlot(edge)] ?? EDGE.undecided) as EdgeState;
  }

  #edgeSlot(edge: GraphEdge): number {
    const slot = this.#table.edgeSlots.get(edge);
    if (slot === undefined) throw new TypeError(`edge ${edge.index} does not belong to subgraph ${this.#key}`);
    return slot;
  }

  #has(state: NodeState): boolean {
    return (this.#nodeStates as { includes(state: NodeState): boolean }).includes(state);
  }

  #setNodeState(index: number, state: NodeState): void {
    const slot = this.#table.nodeSlots.get(index);
    if (slot === undefined) throw new TypeError(`node ${index} does not belong to subgraph ${this.#key}`);
    if (typeof this.#nodeStates === 'string') this.#nodeStates = [...this.#nodeStates] as NodeState[];
    this.#nodeStates[slot] = state;
    this.#changed ??= new Set();
    this.#changed.add(index);
  }

  #setEdgeState(edge: GraphEdge, state: EdgeState): void {
    const slot = this.#edgeSlot(edge);
    if (typeof this.#edgeStates === 'string') this.#edgeStates = [...this.#edgeStates] as EdgeState[];
    this.#edgeStates[slot] = state;
  }
}

function textOf(states: string | readonly string[]): string {
  return typeof states === 'string' ? states : states.join('');
}

export function emptySubgraphState(table: SubgraphTable): SubgraphState {
  return {
    edges: EDGE.undecided.repeat(table.subgraph.edges.length),
    nodes: NODE.undecided.repeat(table.nodeSlots.size),
    running: 0,
  };
}

import { type Cooperative, runToEnd } from '../cooperative.ts';
import type { Node, Workflow } from '../ir/workflow.ts';
import { definitionOf } from '../nodes/index.ts';
import { at } from './at.ts';
import { BitSet } from './bit-set.ts';
import { type DominatorTree, depthFirstPostorder } from './dominators.ts';
import { END, type GraphEdge } from './edges.ts';
import { type FoundLoops, findLoops, type Loop } from './loops.ts';
import { postDominators } from './post-dominators.ts';
import { type Beginnings, type Reach, withRoot } from './reach.ts';

interface Sorted {
  readonly order: readonly number[];
  readonly rank: Int32Array;
  readonly cyclic: readonly number[];
}

/**
 * A workflow as a graph of numbered nodes, with its topological order, dominators and loops. A back edge is one whose target
 * dominates its source; all other edges are forward edges.
 */
export class Graph {
  readonly nodes: readonly Node[];
  readonly start: number;
  /** The node at which an execution over its budget continues, a second beginning; null = none. */
  readonly budgetNode: number | null;
  readonly edges: readonly GraphEdge[];
  readonly backEdges: ReadonlySet<GraphEdge>;
  /** Reachable nodes in the order of the document, which decides ties. */
  readonly reachable: readonly number[];
  /** Nodes that run before the execution ends, in the order of the document. */
  readonly finalizers: readonly number[];
  readonly dominators: DominatorTree;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #routing: GraphEdge[][];
  readonly #forwardOut: GraphEdge[][];
  readonly #forwardIn: GraphEdge[][];
  readonly #backIn: GraphEdge[][];
  readonly #outWithWaits: GraphEdge[][];
  readonly #control: readonly boolean[];
  #sorted: Sorted | null = null;
  #loops: FoundLoops | null = null;
  #enclosingLoops: Loop[][] | null = null;
  #descendants: BitSet[] | null = null;
  #canEnd: Uint8Array | null = null;
  #postDominators: DominatorTree | null = null;
  readonly #cancellationRegions = new Map<number, BitSet>();
  readonly #iterationDeciders = new Map<Loop, readonly number[]>();

  constructor(
    workflow: Workflow,
    { start, budgetNode }: Beginnings,
    edges: readonly GraphEdge[],
    { reached, dominators }: Reach,
  ) {
    const size = workflow.nodes.length;
    this.nodes = workflow.nodes;
    this.start = start;
    this.budgetNode = budgetNode;
    this.#indexOf = new Map(workflow.nodes.map((node, i) => [node.id, i]));
    this.#control = workflow.nodes.map(({ kind }) => definitionOf(kind).behaviour(kind) === 'control');
    this.reachable = [...reached];
    this.finalizers = workflow.nodes.flatMap(({ kind }, i) => (definitionOf(kind).runsAtEnd(kind) === null ? [] : [i]));
    this.edges = edges.filter((edge) => reached.has(edge.from));
    this.dominators = dominators;
    this.backEdges = new Set(
      this.edges.filter((edge) => edge.role !== 'wait' && edge.to !== END && this.dominators.dominates(edge.to, edge.from)),
    );

    this.#outWithWaits = Array.from({ length: size }, () => []);
    this.#routing = Array.from({ length: size }, () => []);
    this.#forwardOut = Array.from({ length: size }, () => []);
    this.#forwardIn = Array.from({ length: size }, () => []);
    this.#backIn = Array.from({ length: size }, () => []);
    for (const edge of this.edges) {
      at(this.#outWithWaits, edge.from).push(edge);
      if (edge.role !== 'wait') at(this.#routing, edge.from).push(edge);
      if (this.backEdges.has(edge)) {
        at(this.#backIn, edge.to).push(edge);
        continue;
      }
      at(this.#forwardOut, edge.from).push(edge);
      if (edge.to !== END) at(this.#forwardIn, edge.to).push(edge);
    }
  }

  /** Reachable nodes in topological order of the forward edges. */
  get order(): readonly number[] {
    return this.#sort.order;
  }

  /** The place of each node in that order; -1 = it is not reachable. */
  get rank(): Int32Array {
    return this.#sort.rank;
  }

  /** Nodes of cycles without a back edge; if there are any, the graph serves diagnostics only. */
  get cyclic(): readonly number[] {
    return this.#sort.cyclic;
  }

  get #sort(): Sorted {
    this.#sorted ??= this.#topologicalSort();
    return this.#sorted;
  }

  get loops(): readonly Loop[] {
    return this.#found.loops;
  }

  /** The loop that begins at a node. */
  loopFrom(head: number): Loop | undefined {
    return this.loops.find((loop) => loop.head === head);
  }

  /** A node in too many loops; if there is one, the graph serves diagnostics only. */
  get tooDeeplyNested(): number | null {
    return this.#found.tooDeep;
  }

  get #found(): FoundLoops {
    this.#loops ??= runToEnd(findLoops(this.nodes.length, this.edges, this.backEdges));
    return this.#loops;
  }

  /** Finds the loops as a cooperative computation, which whatever asks for them does at once otherwise. */
  *prepareLoops(): Cooperative<void> {
    this.#loops ??= yield* findLoops(this.nodes.length, this.edges, this.backEdges);
  }

  /** `prepareLoops`, for what nodes lead to. */
  *prepareDescendants(): Cooperative<void> {
    this.#descendants ??= yield* this.#findDescendants();
  }

  /** The successors with one root for all beginnings. */
  withRoot(successors: readonly (readonly number[])[]): ReturnType<typeof withRoot> {
    return withRoot(successors, this);
  }

  node(index: number): Node {
    return at(this.nodes, index);
  }

  idOf(index: number): string {
    return at(this.nodes, index).id;
  }

  indexOf(id: string): number | undefined {
    return this.#indexOf.get(id);
  }

  /** `indexOf` for an id that is known to be one of a node. Throws `TypeError`. */
  existingIndexOf(id: string): number {
    const index = this.#indexOf.get(id);
    if (index === undefined) throw new TypeError(`no node ${id}`);
    return index;
  }

  /** Does the node finish inside the step that reaches it? */
  isControl(index: number): boolean {
    return this.#control[index] === true;
  }

  isFirstJoin(index: number): boolean {
    return this.joins(index) === 'first';
  }

  /** What a join waits for; null = the node is no join. */
  joins(index: number): 'all' | 'first' | null {
    const { kind } = this.node(index);
    return definitionOf(kind).joins(kind);
  }

  /** The edges that a completed node chooses from. */
  out(index: number): readonly GraphEdge[] {
    return at(this.#routing, index);
  }

  /** `out` and the `wait` edges to joins that wait for the node. */
  outWithWaits(index: number): readonly GraphEdge[] {
    return at(this.#outWithWaits, index);
  }

  forwardOut(index: number): readonly GraphEdge[] {
    return at(this.#forwardOut, index);
  }

  forwardIn(index: number): readonly GraphEdge[] {
    return at(this.#forwardIn, index);
  }

  backIn(index: number): readonly GraphEdge[] {
    return at(this.#backIn, index);
  }

  /** The members of a set in topological order. */
  inOrder(nodes: BitSet): number[] {
    return [...nodes].sort((a, b) => at(this.rank, a) - at(this.rank, b));
  }

  /** The sources that a join merges: the nodes in `wait_for`, then its other forward predecessors in edge order. */
  sources(join: number): readonly number[] {
    const { kind } = this.node(join);
    const named = definitionOf(kind)
      .waitsForNodes(kind)
      .flatMap((id) => this.#indexOf.get(id) ?? []);
    return [...new Set([...named, ...this.forwardIn(join).map((edge) => edge.from)])];
  }

  /** Nodes that forward edges lead to from `index`, directly or not. */
  descendants(index: number): BitSet {
    this.#descendants ??= runToEnd(this.#findDescendants());
    return at(this.#descendants, index);
  }

  /** Can a path end at this node? */
  canEndAt(index: number): boolean {
    this.#canEnd ??= this.#findEndNodes();
    return this.#canEnd[index] === 1;
  }

  /**
   * Nodes before a join from which every path to the end leads through it: those that a first-wins join cancels.
   * A path may take any edge, whatever its condition, back edges included.
   */
  cancellationRegion(join: number): BitSet {
    let region = this.#cancellationRegions.get(join);
    if (region === undefined) {
      region = this.#findCancellationRegion(join);
      this.#cancellationRegions.set(join, region);
    }
    return region;
  }

  /** Can an execution get to the node again: in a loop, or from the node for budgets after it was skipped? */
  isRevisited(index: number): boolean {
    if (this.enclosingLoops(index).length > 0) return true;
    const { start, budgetNode, dominators } = this;
    return budgetNode !== null && !dominators.dominates(start, index) && !dominators.dominates(budgetNode, index);
  }

  /** The loops that contain a node. */
  enclosingLoops(index: number): readonly Loop[] {
    if (this.#enclosingLoops === null) {
      const around: Loop[][] = this.nodes.map(() => []);
      for (const loop of this.loops) for (const node of loop.body) at(around, node).push(loop);
      this.#enclosingLoops = around;
    }
    return at(this.#enclosingLoops, index);
  }

  /**
   * Nodes that decide whether a loop can iterate again: the sources of its back edges, and of the back edges of those inner loops
   * that such an edge would leave, because it is not decided before they have ended.
   */
  iterationDeciders(loop: Loop): readonly number[] {
    let sources = this.#iterationDeciders.get(loop);
    if (sources === undefined) {
      const found = new Set(loop.backEdges.map((edge) => edge.from));
      for (const { from } of loop.backEdges) {
        for (const inner of this.enclosingLoops(from)) {
          if (!inner.body.has(loop.head)) for (const source of this.iterationDeciders(inner)) found.add(source);
        }
      }
      sources = [...found];
      this.#iterationDeciders.set(loop, sources);
    }
    return sources;
  }

  /** A depth-first topological order that follows edges as they are written, and the nodes on or behind cycles of forward edges. */
  #topologicalSort(): Sorted {
    const missing = new Int32Array(this.nodes.length);
    for (const node of this.reachable) missing[node] = this.forwardIn(node).length;
    const free = this.reachable.filter((node) => missing[node] === 0);
    for (let node = free.pop(); node !== undefined; node = free.pop()) {
      for (const edge of this.forwardOut(node)) {
        if (edge.to === END) continue;
        missing[edge.to] = at(missing, edge.to) - 1;
        if (missing[edge.to] === 0) free.push(edge.to);
      }
    }
    const backwards = this.nodes.map((_, node) =>
      this.forwardOut(node)
        .flatMap((edge) => (edge.to === END ? [] : [edge.to]))
        .reverse(),
    );
    const { root, below } = this.withRoot(backwards);
    const order = depthFirstPostorder(root, below, below.length)
      .reverse()
      .filter((node) => node < this.nodes.length);
    const rank = new Int32Array(this.nodes.length).fill(-1);
    order.forEach((node, i) => {
      rank[node] = i;
    });
    return { order, rank, cyclic: this.reachable.filter((node) => at(missing, node) > 0) };
  }

  *#findDescendants(): Cooperative<BitSet[]> {
    const below = this.nodes.map(() => new BitSet(0));
    for (const node of [...this.order].reverse()) {
      yield;
      const bits = new BitSet(this.nodes.length);
      for (const edge of this.forwardOut(node)) {
        if (edge.to === END) continue;
        bits.add(edge.to);
        bits.addAll(at(below, edge.to));
      }
      below[node] = bits;
    }
    return below;
  }

  #findEndNodes(): Uint8Array {
    const ends = new Uint8Array(this.nodes.length);
    const pending: number[] = [];
    for (const node of this.reachable) {
      // A node that only sends work back ends here when it does not.
      const edges = this.out(node).filter((edge) => edge.role !== 'retry_node');
      if (edges.length > 0 && !edges.some((edge) => edge.to === END)) continue;
      ends[node] = 1;
      pending.push(node);
    }
    const before: number[][] = this.nodes.map(() => []);
    for (const edge of this.edges) if (edge.role !== 'wait' && edge.to !== END) at(before, edge.to).push(edge.from);
    const finite = new BitSet(this.nodes.length);
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (finite.has(node)) continue;
      finite.add(node);
      pending.push(...at(before, node));
    }
    for (const edge of this.backEdges) if (!finite.has(edge.from)) ends[edge.from] = 1;
    return ends;
  }

  #findCancellationRegion(join: number): BitSet {
    this.#postDominators ??= postDominators(this);
    const around = new Set(this.enclosingLoops(join).map((loop) => loop.head));
    const region = new BitSet(this.nodes.length);
    const seen = new BitSet(this.nodes.length);
    const pending = [join];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (seen.has(node)) continue;
      seen.add(node);
      if (node !== join && this.#postDominators.dominates(join, node)) region.add(node);
      for (const edge of this.forwardIn(node)) pending.push(edge.from);
      if (!around.has(node)) for (const edge of this.backIn(node)) pending.push(edge.from);
    }
    return region;
  }
}

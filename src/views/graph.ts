import type { HistoryEvent } from '../../machines/history/event.ts';
import type { History } from '../../machines/history/history.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { definitionNamed, type KindName } from '../../machines/nodes/index.ts';
import type { DiagramEdge, DiagramFrame, Shape } from '../../machines/views/diagram.ts';
import { type DrawnWorkflow, drawnWorkflow } from '../../machines/views/drawn-workflow.ts';
import type { ExecutionStatus, NodeOverlay } from '../../machines/views/execution-overlay.ts';
import { OverlayBuilder } from '../../machines/views/overlay-builder.ts';
import { timesTaken, workflowDiagram } from '../../machines/views/workflow-diagram.ts';

export interface GraphNode {
  /** Unique in the graph: letters, digits and underscores. */
  readonly id: string;
  /** Id of the workflow's node; null = a start or an end. */
  readonly node: string | null;
  /** Null = a start or an end. */
  readonly kind: KindName | null;
  readonly shape: Shape;
  /** The character that stands for its kind; '' = none. */
  readonly letter: string;
  readonly title: string;
  /** What it calls, waits for or asks, in a few words; '' = nothing to add. */
  readonly detail: string;
  /** Id of the frame around it; null = none. */
  readonly frame: string | null;
  readonly definition: Json;
}

export interface GraphEdge extends Pick<DiagramEdge, 'from' | 'to' | 'label' | 'role' | 'back'> {
  readonly id: string;
}

/** A workflow as nodes and edges, without places. `from` and `to` are ids of nodes. */
export interface WorkflowGraph {
  readonly title: string;
  readonly subtitle: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Around nodes that run in parallel; outer ones come first. */
  readonly frames: readonly DiagramFrame[];
}

/** Ids of the nodes and edges that look different now. */
export interface GraphChanges {
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
}

/**
 * The graph of a workflow document, as registered. Throws `InvalidWorkflow`.
 *
 * @example
 * const { nodes, edges } = graphOf(workflow.ir);
 */
export function graphOf(document: JsonObject): WorkflowGraph {
  return new LiveGraph(document).graph;
}

/**
 * A graph with an overlay that follows the log of an execution. An event costs as much as it changes, however large the graph is; the overlay of
 * a node is the same object until it changes.
 *
 * @example
 * const live = new LiveGraph(workflow.ir);
 * for (const event of events) live.apply(event);
 * for (const id of live.takeChanges().nodes) redraw(id, live.overlayOf(id));
 */
export class LiveGraph {
  readonly graph: WorkflowGraph;
  readonly #builder: OverlayBuilder;
  readonly #drawn: Drawn;
  readonly #overlays = new Map<string, NodeOverlay | null>();
  readonly #taken = new Map<string, number>();
  #changedNodes = new Set<string>();
  #changedEdges = new Set<string>();

  /** `history`: one that other views of the log share. Throws `InvalidWorkflow`. */
  constructor(document: JsonObject, history?: History) {
    const workflow = drawnWorkflow(document);
    this.#drawn = drawn(workflow);
    this.graph = this.#drawn.graph;
    this.#builder = new OverlayBuilder(workflow, history);
  }

  get status(): ExecutionStatus {
    return this.#builder.status;
  }

  get suspended(): boolean {
    return this.#builder.suspended;
  }

  /** Sequence of the last event; 0 = none. */
  get sequence(): number {
    return this.#builder.sequence;
  }

  /** The graph's id of a workflow's node; null = it has none of that name. */
  idOf(node: string): string | null {
    return this.#drawn.idOf.get(node) ?? null;
  }

  /** Null = nothing has happened to it, or it is a start or an end. */
  overlayOf(id: string): NodeOverlay | null {
    return this.#overlays.get(id) ?? null;
  }

  /** How often an edge was taken. */
  timesTaken(id: string): number {
    return this.#taken.get(id) ?? 0;
  }

  /** Applies an event. Events must come in order, from the first. */
  apply(event: HistoryEvent): void {
    const before = this.#builder.sequence;
    this.#builder.apply(event);
    const { nodes, edges } = this.#builder.takeChanges();
    for (const node of nodes) this.#nodeChanged(node);
    for (const index of edges) this.#count(this.#drawn.edgeOf.get(index));
    if (before === 0) this.#count(this.#drawn.start);
    if (this.#builder.rerouted) this.#count(this.#drawn.budget);
  }

  /** What has changed since the last call. */
  takeChanges(): GraphChanges {
    const changes = { nodes: this.#changedNodes, edges: this.#changedEdges };
    this.#changedNodes = new Set();
    this.#changedEdges = new Set();
    return changes;
  }

  #nodeChanged(node: string): void {
    const id = this.#drawn.idOf.get(node);
    if (id === undefined) return;
    const before = this.overlayOf(id);
    const after = this.#builder.nodeOverlay(node);
    this.#count(this.#drawn.endOf.get(node));
    if (isSame(before, after)) return;
    this.#overlays.set(id, after);
    this.#changedNodes.add(id);
  }

  #count(edge: DrawnEdge | undefined): void {
    if (edge?.takenBy == null) return;
    const taken = timesTaken(edge.takenBy, this.#builder);
    if (taken === this.timesTaken(edge.id)) return;
    this.#taken.set(edge.id, taken);
    this.#changedEdges.add(edge.id);
  }
}

type DrawnEdge = GraphEdge & Pick<DiagramEdge, 'takenBy'>;

/** A graph, and where its parts are found when they change. */
interface Drawn {
  readonly graph: WorkflowGraph;
  readonly idOf: ReadonlyMap<string, string>;
  readonly edgeOf: ReadonlyMap<number, DrawnEdge>;
  /** Edges to an end that no edge of the workflow stands for, by the node that they leave. */
  readonly endOf: ReadonlyMap<string, DrawnEdge>;
  readonly start: DrawnEdge | undefined;
  readonly budget: DrawnEdge | undefined;
}

function drawn(workflow: DrawnWorkflow): Drawn {
  const { title, subtitle, nodes, edges, frames } = workflowDiagram(workflow, null);
  const shown = nodes.map(({ key: id, name, shape, kind, detail, frame, definition }): GraphNode => {
    const letter = kind === null ? '' : definitionNamed(kind).letter;
    return { id, node: kind === null ? null : name, kind, shape, letter, title: name, detail, frame, definition };
  });
  const withIds = edges.map(({ from, to, label, role, back, takenBy }, index): DrawnEdge => {
    return { id: `e${index}`, from, to, label, role, back, takenBy };
  });
  const found = <K>(keyOf: (edge: DrawnEdge) => K | undefined): Map<K, DrawnEdge> =>
    new Map(
      withIds.flatMap((edge): [K, DrawnEdge][] => {
        const key = keyOf(edge);
        return key === undefined ? [] : [[key, edge]];
      }),
    );
  return {
    graph: { title, subtitle, nodes: shown, edges: withIds.map(({ takenBy: _, ...edge }) => edge), frames },
    idOf: new Map(shown.flatMap(({ node, id }) => (node === null ? [] : [[node, id] as const]))),
    edgeOf: found(({ takenBy }) => (takenBy?.type === 'edge' ? takenBy.index : undefined)),
    endOf: found(({ takenBy }) => (takenBy?.type === 'done' ? takenBy.node : undefined)),
    start: withIds.find(({ takenBy }) => takenBy?.type === 'start'),
    budget: withIds.find(({ takenBy }) => takenBy?.type === 'budget'),
  };
}

function isSame(a: NodeOverlay | null, b: NodeOverlay | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return (Object.keys(b) as (keyof NodeOverlay)[]).every((key) => a[key] === b[key]);
}

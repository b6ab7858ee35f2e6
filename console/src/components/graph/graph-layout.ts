import type { ElkExtendedEdge, ElkNode } from 'elkjs/lib/elk-api.js';
import ELK from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';
import type { GraphEdge, GraphNode, WorkflowGraph } from '../../../../src/views/graph.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  /** From the source to the target. */
  readonly points: readonly Point[];
  readonly label: (Box & { readonly text: string }) | null;
}

/** Where the parts of a graph are, in pixels. Nodes and frames in a frame are placed from its corner, edges from that of the graph. */
export interface GraphLayout {
  readonly nodes: ReadonlyMap<string, Box>;
  readonly frames: ReadonlyMap<string, Box>;
  readonly edges: ReadonlyMap<string, PlacedEdge>;
}

const NODE = { width: 208, height: 64 };
const END = { width: 72, height: 30 };
const CHAR_WIDTH = 6.2;
const MAX_LABEL = 30;
const MAX_CACHED = 20;

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.layered.feedbackEdges': 'true',
  'elk.layered.cycleBreaking.strategy': 'GREEDY',
  'elk.layered.spacing.nodeNodeBetweenLayers': '36',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeLabel': '4',
  'elk.padding': '[top=12,left=12,bottom=12,right=12]',
};

const layouts = new Map<string, Promise<GraphLayout>>();

/** The layout of a graph, made once for each key (its revision) by a worker. */
export function layoutOf(key: string, graph: WorkflowGraph): Promise<GraphLayout> {
  const known = layouts.get(key);
  if (known !== undefined) return known;
  const layout = layOut(graph);
  layouts.set(key, layout);
  layout.catch(() => layouts.delete(key));
  const [oldest] = layouts.keys();
  if (layouts.size > MAX_CACHED && oldest !== undefined) layouts.delete(oldest);
  return layout;
}

async function layOut(graph: WorkflowGraph): Promise<GraphLayout> {
  const elk = new ELK({ workerUrl });
  try {
    const children = childrenOf(graph, null);
    return placed(graph, await elk.layout({ id: 'graph', layoutOptions: OPTIONS, children, edges: graph.edges.map(elkEdge) }));
  } finally {
    elk.terminateWorker();
  }
}

function childrenOf(graph: WorkflowGraph, parent: string | null): ElkNode[] {
  const frames = graph.frames.filter((frame) => frame.parent === parent);
  return [
    ...graph.nodes.filter(({ frame }) => frame === parent).map((node): ElkNode => ({ id: node.id, ...sizeOf(node) })),
    ...frames.map(
      ({ key }): ElkNode => ({
        id: key,
        layoutOptions: { 'elk.padding': '[top=28,left=14,bottom=14,right=14]' },
        children: childrenOf(graph, key),
      }),
    ),
  ];
}

function elkEdge({ id, from, to, label, back }: GraphEdge): ElkExtendedEdge {
  const text = shortLabel(label);
  const labels = text === '' ? [] : [{ text, width: text.length * CHAR_WIDTH + 10, height: 18 }];
  // Only edges that close a loop may lead upwards.
  return { id, sources: [from], targets: [to], labels, layoutOptions: { 'elk.layered.priority.direction': back ? '0' : '10' } };
}

function sizeOf({ shape }: GraphNode): { readonly width: number; readonly height: number } {
  return shape === 'begin' || shape === 'finish' ? END : NODE;
}

function shortLabel(label: string): string {
  const characters = [...label.slice(0, 4 * MAX_LABEL)];
  return characters.length <= MAX_LABEL ? label : `${characters.slice(0, MAX_LABEL - 1).join('')}…`;
}

function placed(graph: WorkflowGraph, root: ElkNode): GraphLayout {
  const boxes = new Map<string, Box>();
  const visit = ({ id, x = 0, y = 0, width = 0, height = 0, children = [] }: ElkNode): void => {
    boxes.set(id, { x, y, width, height });
    for (const child of children) visit(child);
  };
  visit(root);
  const edges = new Map<string, PlacedEdge>();
  for (const { id, sections = [], labels = [] } of root.edges ?? []) {
    const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
    const [label] = labels;
    const { x = 0, y = 0, width = 0, height = 0, text = '' } = label ?? {};
    edges.set(id, { points, label: label === undefined ? null : { x, y, width, height, text } });
  }
  const only = (ids: readonly string[]) => new Map(ids.map((id) => [id, boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 }]));
  return { nodes: only(graph.nodes.map(({ id }) => id)), frames: only(graph.frames.map(({ key }) => key)), edges };
}

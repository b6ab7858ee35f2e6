import { Worker } from 'node:worker_threads';
import type { Diagram, DiagramEdge, DiagramFrame, DiagramNode, Shape } from '../../../machines/views/diagram.ts';
import { arrows, clustered } from '../../../machines/views/dot.ts';
import { oneLine } from '../../../machines/views/text.ts';
import { packageFile } from '../../../store/package-files.ts';
import { DiagramError } from '../errors.ts';
import { type Box, boxOf, labelLines, labelSize, SIZES } from './boxes.ts';
import { widthOf } from './measure.ts';
import { atOutline, outlineOf } from './outline.ts';
import type { Point } from './point.ts';

export interface PlacedNode {
  readonly node: DiagramNode;
  readonly box: Box;
  /** The centre. */
  readonly at: Point;
}

export interface PlacedEdge {
  readonly edge: DiagramEdge;
  /** A start point, then three points per Bézier curve. */
  readonly curve: readonly Point[];
  /** The tip of the arrow. */
  readonly tip: Point;
  /** Is the arrow at the start of the curve? */
  readonly atStart: boolean;
  readonly lines: readonly string[];
  readonly labelAt: Point | null;
}

export interface PlacedFrame {
  readonly frame: DiagramFrame;
  readonly label: string;
  readonly from: Point;
  readonly to: Point;
}

/** A diagram with coordinates in pixels from the top left. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly frames: readonly PlacedFrame[];
}

/** Larger diagrams are unreadable and take very long to lay out. */
const MAX_NODES = 2_000;
const MAX_EDGES = 6_000;
/** Above this, Graphviz' iterations are limited, which halves the time at slightly lower quality. */
const MAX_NODES_FULL_QUALITY = 100;
const TIMEOUT_MS = 20_000;
/** Concurrent layout threads, and how many layouts may wait for one. */
const MAX_THREADS = 2;
const MAX_WAITING = 32;

/** Shapes at whose outline edges end; elsewhere they end at the bounding box. */
const OUTLINES: Readonly<Partial<Record<Shape, string>>> = {
  condition: 'diamond',
  begin: 'circle',
  finish: 'circle',
};

/** Graphviz measures in inches. */
const PIXELS_PER_INCH = 72;

/** Rejects with `DiagramError` `diagram_too_large`, or `diagrams_busy` if too many layouts are waiting. */
export async function layOut(diagram: Diagram): Promise<Layout> {
  const { nodes, edges } = diagram;
  if (nodes.length > MAX_NODES || edges.length > MAX_EDGES)
    throw new DiagramError(
      'diagram_too_large',
      `${nodes.length} nodes and ${edges.length} edges are too many to draw; the limits are ${MAX_NODES} and ${MAX_EDGES}`,
    );
  const boxes = new Map(nodes.map((node) => [node.key, boxOf(node)]));
  const labels = edges.map(labelLines);
  const placed = await runGraphviz(graphOf(diagram, boxes, labels));
  return layoutFrom(diagram, boxes, labels, placed);
}

function graphOf(diagram: Diagram, boxes: ReadonlyMap<string, Box>, labels: readonly (readonly string[])[]): string {
  const size = (node: DiagramNode): string => {
    const { width, height } = boxes.get(node.key) ?? boxOf(node);
    return `shape=${OUTLINES[node.shape] ?? 'box'} width=${(width / PIXELS_PER_INCH).toFixed(3)} height=${(height / PIXELS_PER_INCH).toFixed(3)}`;
  };
  const edgeAttributes = ({ role, back }: DiagramEdge, i: number): string[] => {
    const lines = labels[i] ?? [];
    const spacer = lines.length === 0 ? [] : [`label=${spacerFor(labelSize(lines))}`];
    return [`id=e${i}`, ...spacer, ...(role === 'waits' ? ['weight=0'] : back ? ['weight=0'] : ['weight=2'])];
  };
  return [
    'digraph g {',
    `  graph [compound=true ranksep=0.45 nodesep=0.35 pad=0${diagram.nodes.length > MAX_NODES_FULL_QUALITY ? ' nslimit=2 nslimit1=2 mclimit=0.5' : ''}]`,
    '  node [shape=box fixedsize=true label=""]',
    ...clustered(diagram, size, (label) => {
      const width = Math.ceil(widthOf(frameLabel(label), SIZES.frame)) + 12;
      return `label=${spacerFor({ width, height: 16 })} labeljust=l margin=14`;
    }),
    ...arrows(diagram, edgeAttributes),
    '}',
  ].join('\n');
}

/** An empty label of that size: the text is drawn here, and Graphviz only reserves the space. */
function spacerFor({ width, height }: { readonly width: number; readonly height: number }): string {
  return `<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" FIXEDSIZE="TRUE" WIDTH="${width}" HEIGHT="${height}"><TR><TD></TD></TR></TABLE>>`;
}

function frameLabel(label: string): string {
  return oneLine(label, 60);
}

/** The part of Graphviz' JSON output that is used. */
interface GraphvizOutput {
  readonly bb: string;
  readonly objects?: readonly { readonly name: string; readonly pos?: string; readonly bb?: string }[];
  readonly edges?: readonly { readonly id?: string; readonly pos?: string; readonly lp?: string }[];
}

let busy = 0;
const waiting: (() => void)[] = [];

async function runGraphviz(dot: string): Promise<GraphvizOutput> {
  if (busy >= MAX_THREADS) {
    if (waiting.length >= MAX_WAITING) throw new DiagramError('diagrams_busy', 'too many diagrams are being drawn');
    await new Promise<void>((turn) => waiting.push(turn));
  } else busy += 1;
  try {
    return await inThread(dot);
  } finally {
    // Passes the thread on to the layout that has waited longest.
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    else next();
  }
}

function inThread(dot: string): Promise<GraphvizOutput> {
  const worker = new Worker(packageFile('src/diagrams/assets/layout-worker.mjs'), { workerData: { dot } });
  return new Promise<GraphvizOutput>((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLarge('takes too long to lay out')), TIMEOUT_MS);
    worker.once('message', (answer: { status: string; output?: string; problems: readonly string[] }) => {
      clearTimeout(timer);
      if (answer.status === 'success' && answer.output !== undefined) resolve(JSON.parse(answer.output) as GraphvizOutput);
      else reject(new Error(`Graphviz failed: ${answer.problems.join('; ')}`));
    });
    worker.once('error', (cause) => {
      clearTimeout(timer);
      reject(tooLarge('needs too much memory to lay out', cause));
    });
  }).finally(() => worker.terminate());
}

function tooLarge(problem: string, cause?: unknown): DiagramError {
  return new DiagramError('diagram_too_large', `the diagram ${problem}`, { cause });
}

function layoutFrom(
  diagram: Diagram,
  boxes: ReadonlyMap<string, Box>,
  labels: readonly (readonly string[])[],
  { bb, objects = [], edges = [] }: GraphvizOutput,
): Layout {
  const [, , width = 0, height = 0] = numbers(bb);
  // Graphviz counts from the bottom.
  const point = (text: string): Point => {
    const [x = 0, y = 0] = numbers(text);
    return { x, y: height - y };
  };
  const places = new Map(objects.map((object) => [object.name, object]));
  const nodes = diagram.nodes.flatMap((node): PlacedNode[] => {
    const pos = places.get(node.key)?.pos;
    return pos === undefined ? [] : [{ node, box: boxes.get(node.key) ?? boxOf(node), at: point(pos) }];
  });
  const frames = diagram.frames.flatMap((frame): PlacedFrame[] => {
    const box = places.get(`cluster_${frame.key}`)?.bb;
    if (box === undefined) return [];
    const [left = 0, bottom = 0, right = 0, top = 0] = numbers(box);
    const label = frameLabel(frame.label);
    return [{ frame, label, from: { x: left, y: height - top }, to: { x: right, y: height - bottom } }];
  });
  const byKey = new Map(nodes.map((node) => [node.node.key, node]));
  const drawn = edges.flatMap(({ id, pos, lp }): PlacedEdge[] => {
    const index = Number(id?.slice(1));
    const edge = diagram.edges[index];
    if (edge === undefined || pos === undefined) return [];
    const parts = pos.split(/\s+/);
    const tip = parts.find((part) => part.startsWith('e,')) ?? parts.find((part) => part.startsWith('s,'));
    const curve = parts.filter((part) => !/^[es],/.test(part)).map(point);
    const lines = labels[index] ?? [];
    if (curve.length === 0) return [];
    const placed = {
      edge,
      curve,
      tip: tip === undefined ? (curve.at(-1) ?? { x: 0, y: 0 }) : point(tip.slice(2)),
      atStart: tip?.startsWith('s,') === true,
      lines,
      labelAt: lp === undefined ? null : point(lp),
    };
    return [clipped(placed, byKey)];
  });
  return { width, height, nodes, edges: drawn, frames };
}

/** Graphviz ends edges at the bounding boxes of nodes; here they end at their outlines. */
function clipped(placed: PlacedEdge, nodes: ReadonlyMap<string, PlacedNode>): PlacedEdge {
  const { edge, atStart, tip } = placed;
  const curve = atStart ? placed.curve.toReversed() : [...placed.curve];
  const [target, source] = [nodes.get(edge.to), nodes.get(edge.from)];
  const [end, start, second] = [curve.at(-1) ?? tip, curve[0] ?? tip, curve[1] ?? tip];
  const newTip = clippedAt(target, end, tip);
  curve[curve.length - 1] = { x: end.x + newTip.x - tip.x, y: end.y + newTip.y - tip.y };
  if (curve.length > 1) curve[0] = clippedAt(source, second, start);
  return { ...placed, tip: newTip, curve: atStart ? curve.reverse() : curve };
}

function clippedAt(node: PlacedNode | undefined, from: Point, end: Point): Point {
  if (node === undefined) return end;
  const outline = outlineOf(node.node.shape, node.box.width, node.box.height);
  return outline === null ? end : atOutline(outline, node.at, from, end);
}

function numbers(text: string): number[] {
  return text.split(',').map(Number);
}

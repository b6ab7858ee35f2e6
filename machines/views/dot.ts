import type { Diagram, DiagramEdge, DiagramNode, Shape } from './diagram.ts';
import { markOf } from './labels.ts';
import { STATUS_COLOURS } from './status-colours.ts';
import { oneLine } from './text.ts';

const MAX_NAME = 60;
const MAX_LABEL = 80;

const SHAPES: Readonly<Record<Shape, string>> = {
  tool: 'box',
  http: 'component',
  python_fn: 'note',
  java_fn: 'note',
  condition: 'diamond',
  parallel: 'trapezium',
  join: 'invtrapezium',
  human_approval: 'hexagon',
  wait: 'ellipse',
  subgraph: 'box3d',
  limit_exceeded: 'octagon',
  begin: 'circle',
  finish: 'doublecircle',
  retry: 'cds',
  approval: 'hexagon',
  child: 'box3d',
  guard: 'house',
  route: 'diamond',
  arrived: 'plain',
  final: 'Msquare',
};

/** Writes a diagram in the DOT language of Graphviz. */
export function toDot(diagram: Diagram): string {
  const title = oneLine(
    [diagram.title, diagram.subtitle, diagram.execution?.overlay.status ?? ''].filter((part) => part !== '').join(' '),
    MAX_LABEL,
  );
  const font = 'fontname="Helvetica"';
  return `${[
    'digraph workflow {',
    `  graph [label=${quoted(title)} labelloc=t compound=true ${font}]`,
    `  node [${font} fontsize=11 margin="0.2,0.1"]`,
    `  edge [${font} fontsize=10]`,
    ...clustered(
      diagram,
      (node) => attributesOf(node),
      (label) => `label=${quoted(oneLine(label, MAX_NAME))} labeljust=l style="rounded,dashed"`,
    ),
    ...arrows(diagram, edgeAttributes),
    '}',
  ].join('\n')}\n`;
}

/** Nodes with their attributes, inside their frames. */
export function clustered(
  { nodes, frames }: Diagram,
  attributes: (node: DiagramNode) => string,
  frame: (label: string) => string,
): string[] {
  const tree = (parent: string | null, depth: number): string[] => {
    const indent = '  '.repeat(depth);
    return [
      ...nodes.filter((node) => node.frame === parent).map((node) => `${indent}${node.key} [${attributes(node)}]`),
      ...frames
        .filter((each) => each.parent === parent)
        .flatMap(({ key, label }) => [
          `${indent}subgraph cluster_${key} {`,
          `${indent}  ${frame(label)}`,
          ...tree(key, depth + 1),
          `${indent}}`,
        ]),
    ];
  };
  return tree(null, 1);
}

/**
 * Edges with their attributes. Graphviz draws edges between nodes only: an edge to a frame goes to a node inside it, and is clipped at
 * the frame's border. A back edge is written in the opposite direction, so that it does not turn the layout upside down.
 */
export function arrows(diagram: Diagram, attributes: (edge: DiagramEdge, index: number) => readonly string[]): string[] {
  const enclosing = enclosingFrames(diagram);
  const firstIn = firstNodes(diagram, enclosing);
  const contains = (frame: string, key: string): boolean => enclosing.get(key)?.includes(frame) === true;
  return diagram.edges.flatMap((edge, index) => {
    const [from, to] = [firstIn.get(edge.from), firstIn.get(edge.to)];
    if (from === undefined || to === undefined) return [];
    // An edge between a frame and a node inside it cannot be clipped at the border.
    const cut = [
      ...(from === edge.from || contains(edge.from, to) ? [] : [`${edge.back ? 'lhead' : 'ltail'}=cluster_${edge.from}`]),
      ...(to === edge.to || contains(edge.to, from) ? [] : [`${edge.back ? 'ltail' : 'lhead'}=cluster_${edge.to}`]),
    ];
    const all = [...attributes(edge, index), ...cut, ...(edge.back ? ['dir=back'] : [])];
    return [`  ${edge.back ? `${to} -> ${from}` : `${from} -> ${to}`}${all.length === 0 ? '' : ` [${all.join(' ')}]`}`];
  });
}

/** The frames around each node and frame, innermost first. */
function enclosingFrames({ nodes, frames }: Diagram): Map<string, readonly string[]> {
  const around = new Map<string, readonly string[]>();
  const add = (key: string, parent: string | null): void => {
    around.set(key, parent === null ? [] : [parent, ...(around.get(parent) ?? [])]);
  };
  for (const { key, parent } of frames) add(key, parent);
  for (const { key, frame } of nodes) add(key, frame);
  return around;
}

/** The node that represents each key: itself, or the first node inside a frame. */
function firstNodes({ nodes }: Diagram, around: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const first = new Map(nodes.map(({ key }) => [key, key]));
  for (const { key } of nodes) for (const frame of around.get(key) ?? []) if (!first.has(frame)) first.set(frame, key);
  return first;
}

function attributesOf(node: DiagramNode): string {
  const { name, detail, shape, overlay } = node;
  const lines = [name, detail, markOf(node)].filter((line) => line !== '');
  const colours = overlay === null ? null : STATUS_COLOURS[overlay.status];
  const text =
    shape === 'begin' || shape === 'finish'
      ? `"" tooltip=${quoted(name)} width=0.25`
      : quoted(lines.map((each) => oneLine(each, MAX_NAME)).join('\n'));
  return `label=${text} shape=${SHAPES[shape]}${colours === null ? '' : ` style=filled fillcolor="${colours.fill}" color="${colours.line}"`}`;
}

function edgeAttributes({ label, role, back, taken }: DiagramEdge): string[] {
  const texts = [...label.split('\n'), taken !== null && taken > 1 ? `${taken}×` : ''].filter((text) => text !== '');
  const isTaken = taken !== null && taken > 0;
  return [
    ...(texts.length === 0 ? [] : [`label=${quoted(texts.map((text) => oneLine(text, MAX_LABEL)).join('\n'))}`]),
    ...(role === 'waits' ? ['style=dotted'] : back ? ['style=dashed'] : []),
    ...(isTaken ? ['penwidth=2'] : []),
  ];
}

/** A quoted string of DOT, with line breaks escaped. Graphviz reads `&…;` as a character reference. */
function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('&', '&amp;').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}

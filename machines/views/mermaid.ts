import type { Diagram, DiagramEdge, DiagramFrame, DiagramNode, Shape } from './diagram.ts';
import type { NodeStatus } from './execution-overlay.ts';
import { markOf } from './labels.ts';
import { STATUS_COLOURS } from './status-colours.ts';
import { oneLine } from './text.ts';

const MAX_NAME = 60;
const MAX_LABEL = 80;

/** Writes a workflow as a Mermaid flowchart, and a machine as a Mermaid state diagram. */
export function toMermaid(diagram: Diagram): string {
  const body = diagram.view === 'workflow' ? flowchart(diagram) : stateDiagram(diagram);
  const title = oneLine(
    [diagram.title, diagram.subtitle, diagram.execution?.overlay.status ?? ''].filter((part) => part !== '').join(' '),
    MAX_LABEL,
  );
  return `${['---', `title: ${quotedYaml(title)}`, '---', ...body].join('\n')}\n`;
}

/** The brackets around a node's text, which give its shape. */
const BRACKETS: Readonly<Record<Shape, readonly [string, string]>> = {
  tool: ['[', ']'],
  http: ['[', ']'],
  python_fn: ['[', ']'],
  java_fn: ['[', ']'],
  condition: ['{', '}'],
  parallel: ['[/', '\\]'],
  join: ['[\\', '/]'],
  human_approval: ['{{', '}}'],
  wait: ['([', '])'],
  subgraph: ['[[', ']]'],
  limit_exceeded: ['>', ']'],
  begin: ['((', '))'],
  finish: ['(((', ')))'],
  retry: ['(', ')'],
  approval: ['(', ')'],
  child: ['(', ')'],
  guard: ['(', ')'],
  route: ['(', ')'],
  arrived: ['(', ')'],
  final: ['([', '])'],
};

function flowchart({ nodes, edges, frames }: Diagram): string[] {
  const node = (each: DiagramNode): string => {
    const [open, close] = BRACKETS[each.shape];
    return `${each.key}${open}"${nodeText(each).map(encoded).join('<br/>')}"${close}${each.overlay === null ? '' : `:::${each.overlay.status}`}`;
  };
  const tree = (parent: string | null, depth: number): string[] => {
    const indent = '  '.repeat(depth);
    return [
      ...nodes.filter(({ frame }) => frame === parent).map((each) => `${indent}${node(each)}`),
      ...childrenOf(frames, parent).flatMap((frame) => [
        `${indent}subgraph ${frame.key}["${encoded(oneLine(frame.label, MAX_NAME))}"]`,
        ...tree(frame.key, depth + 1),
        `${indent}end`,
      ]),
    ];
  };
  const arrow = ({ from, to, role, back, taken, ...edge }: DiagramEdge): string => {
    const label = edgeText({ ...edge, taken });
    const line = role === 'waits' || back ? '-.->' : taken !== null && taken > 0 ? '==>' : '-->';
    return `  ${from} ${line}${label === '' ? '' : `|"${encoded(label)}"|`} ${to}`;
  };
  return ['flowchart TD', ...tree(null, 1), ...edges.map(arrow), ...classes(nodes)];
}

function stateDiagram({ nodes, edges, frames }: Diagram): string[] {
  const parents = new Map<string, string | null>([
    ...nodes.map(({ key, frame }) => [key, frame] as const),
    ...frames.map(({ key, parent }) => [key, parent] as const),
  ]);
  // A transition is written in the innermost state that contains both its ends: Mermaid would move them elsewhere otherwise.
  const inside = new Map<string | null, DiagramEdge[]>();
  for (const edge of edges) {
    const around = new Set(ancestors(edge.from, parents));
    const home = ancestors(edge.to, parents).find((key) => around.has(key)) ?? null;
    const list = inside.get(home);
    if (list === undefined) inside.set(home, [edge]);
    else list.push(edge);
  }
  const begin = nodes.find(({ shape }) => shape === 'begin')?.key;
  const arrow = ({ from, to, ...edge }: DiagramEdge): string => {
    const label = edgeText(edge);
    return `${from === begin ? '[*]' : from} --> ${to}${label === '' ? '' : ` : ${encoded(label)}`}`;
  };
  const tree = (parent: string | null, depth: number, divided: boolean): string[] => {
    const indent = '  '.repeat(depth);
    const states = nodes
      .filter(({ frame, key }) => frame === parent && key !== begin)
      .map((each) => `${indent}state "${nodeText(each).map(encoded).join(' ')}" as ${each.key}`);
    const inner = childrenOf(frames, parent).map((frame) => [
      `${indent}state "${encoded(oneLine(frame.label, MAX_NAME))}" as ${frame.key} {`,
      ...tree(frame.key, depth + 1, frame.parallel),
      `${indent}}`,
    ]);
    const arrows = (inside.get(parent) ?? []).map((edge) => `${indent}${arrow(edge)}`);
    const regions = divided ? inner.flatMap((lines, i) => (i === 0 ? lines : [`${indent}--`, ...lines])) : inner.flat();
    return [...states, ...regions, ...arrows];
  };
  const marked = nodes.flatMap(({ key, overlay }) => (overlay === null ? [] : [`  class ${key} ${overlay.status}`]));
  return ['stateDiagram-v2', ...tree(null, 1, false), ...classes(nodes), ...marked];
}

function ancestors(key: string, parents: ReadonlyMap<string, string | null>): string[] {
  const found: string[] = [];
  for (let parent = parents.get(key) ?? null; parent !== null; parent = parents.get(parent) ?? null) found.push(parent);
  return found;
}

function childrenOf(frames: readonly DiagramFrame[], parent: string | null): readonly DiagramFrame[] {
  return frames.filter((frame) => frame.parent === parent);
}

function nodeText(node: DiagramNode): string[] {
  const lines = [node.name, node.detail, markOf(node)];
  return lines.filter((line) => line !== '').map((line) => oneLine(line, MAX_NAME));
}

function edgeText({ label, taken }: Pick<DiagramEdge, 'label' | 'taken'>): string {
  const text = oneLine(label.replaceAll('\n', ' | '), MAX_LABEL);
  return [text, taken !== null && taken > 1 ? `${taken}×` : ''].filter((part) => part !== '').join(' ');
}

const EMPHASIS: Readonly<Partial<Record<NodeStatus, string>>> = {
  queued: ',stroke-dasharray:4 3',
  active: ',stroke-width:3px',
  skipped: ',stroke-dasharray:2 3',
};

function classes(nodes: readonly DiagramNode[]): string[] {
  const used = new Set(nodes.flatMap(({ overlay }) => (overlay === null ? [] : [overlay.status])));
  return [...used].map((status) => {
    const { fill, line } = STATUS_COLOURS[status];
    return `  classDef ${status} fill:${fill},stroke:${line},color:#111827${EMPHASIS[status] ?? ''}`;
  });
}

/** Encodes all characters that mean something to Mermaid, as its own character references. */
function encoded(text: string): string {
  return text.replace(/[^\p{L}\p{M}\p{N} _.,()=+/×…·-]/gu, (character) => `#${character.codePointAt(0)};`);
}

/** A JSON string of ASCII characters is also a YAML string. */
function quotedYaml(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

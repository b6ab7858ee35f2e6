import type { DiagramEdge, DiagramNode, Shape } from '../../../machines/views/diagram.ts';
import { markOf } from '../../../machines/views/labels.ts';
import { oneLine } from '../../../machines/views/text.ts';
import { widthOf, wrapped } from './measure.ts';

export interface TextLine {
  readonly text: string;
  readonly role: 'name' | 'detail' | 'mark';
}

/** A node's text and its size in pixels. */
export interface Box {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly TextLine[];
}

export const SIZES: Readonly<Record<TextLine['role'] | 'edge' | 'frame' | 'title' | 'subtitle' | 'error', number>> = {
  name: 13,
  detail: 11,
  mark: 11,
  edge: 11,
  frame: 11,
  title: 18,
  subtitle: 12,
  error: 12,
};
export const LINE_HEIGHT = 16;
export const ICON = 16;

const MAX_CHARS = 34;
/** A status with its duration, items, visits and retries is not cut. */
const MAX_MARK_CHARS = 90;
const DOT_BOX: Box = { width: 24, height: 24, lines: [] };

/** Extra width and height in pixels that a shape needs around its text. */
const PADDING: Readonly<Partial<Record<Shape, readonly [width: number, height: number]>>> = {
  condition: [44, 30],
  human_approval: [34, 0],
  parallel: [34, 0],
  join: [34, 0],
  limit_exceeded: [24, 4],
  subgraph: [12, 4],
};

export function boxOf(node: DiagramNode): Box {
  const { name, detail, shape } = node;
  if (shape === 'begin' || shape === 'finish') return DOT_BOX;
  const all: TextLine[] = [
    { text: name, role: 'name' },
    { text: detail, role: 'detail' },
    { text: markOf(node), role: 'mark' },
  ];
  const lines = all
    .filter(({ text }) => text !== '')
    .map((line) => ({ ...line, text: oneLine(line.text, line.role === 'mark' ? MAX_MARK_CHARS : MAX_CHARS) }));
  const [wider, higher] = PADDING[shape] ?? [0, 0];
  const widths = lines.map(({ text, role }) => widthOf(text, SIZES[role], role === 'name') + (role === 'name' ? ICON + 8 : 0));
  return {
    width: Math.ceil(Math.max(48, ...widths) + 24 + wider),
    height: lines.length * LINE_HEIGHT + 16 + higher,
    lines,
  };
}

/** The lines of an edge's label; empty = no label. */
export function labelLines({ label, taken, back }: DiagramEdge): string[] {
  const texts = label
    .split('\n')
    .filter((text) => text !== '')
    .flatMap((text) => wrapped(oneLine(text, 90), 30, 3));
  const count = taken !== null && taken > 1 ? `${taken}×` : '';
  const shown = texts.length > 6 ? [...texts.slice(0, 5), '…'] : texts;
  if (shown.length === 0) return [[back ? '↺' : '', count].filter((part) => part !== '').join(' ')].filter((line) => line !== '');
  return [`${back ? '↺ ' : ''}${shown[0]}`, ...shown.slice(1), ...(count === '' ? [] : [count])];
}

export function labelSize(lines: readonly string[]): { readonly width: number; readonly height: number } {
  const width = Math.max(...lines.map((line) => widthOf(line, SIZES.edge)));
  return { width: Math.ceil(width) + 10, height: lines.length * 14 + 4 };
}

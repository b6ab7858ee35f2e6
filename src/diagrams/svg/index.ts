import type { Diagram } from '../../../machines/views/diagram.ts';
import { markOf } from '../../../machines/views/labels.ts';
import { oneLine } from '../../../machines/views/text.ts';
import { ICON, LINE_HEIGHT, labelSize, SIZES, type TextLine } from './boxes.ts';
import { headOf } from './head.ts';
import { type Layout, layOut, type PlacedEdge, type PlacedFrame, type PlacedNode } from './layout.ts';
import { widthOf } from './measure.ts';
import { ADAPTIVE, LIGHT, type Palette, STATUSES, variables } from './palette.ts';
import type { Point } from './point.ts';
import { ICONS, shapeOutline } from './shapes.ts';

const MARGIN = 20;

export interface Drawing {
  readonly svg: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** The content of its `<style>` element. */
  readonly style: string;
}

/** `fixed`: light colours without CSS variables, which not every program supports. `adaptive`: light or dark by the reader's preference. */
export async function drawSvg(diagram: Diagram, colours: 'adaptive' | 'fixed'): Promise<Drawing> {
  return draw(diagram, await layOut(diagram), colours);
}

function draw(diagram: Diagram, layout: Layout, colours: 'adaptive' | 'fixed'): Drawing {
  const head = headOf(diagram);
  const title = oneLine(diagram.title, 80);
  const width = Math.ceil(Math.max(layout.width, head.width) + 2 * MARGIN);
  const height = Math.ceil(layout.height + head.height + 2 * MARGIN);
  const left = (width - layout.width) / 2;
  const style = styleOf(colours === 'fixed' ? LIGHT : ADAPTIVE, colours === 'fixed' ? '' : variables('.jj-diagram'));
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" class="jj-diagram" role="img" aria-label="${escaped(title)}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    `<rect class="jj-paper" width="${width}" height="${height}"/>`,
    ...head.lines.map(({ text, role, y }) => `<text class="jj-${role}" x="${MARGIN}" y="${MARGIN + y}">${escaped(text)}</text>`),
    `<g transform="translate(${round(left)} ${head.height + MARGIN})">`,
    ...layout.frames.map(frame),
    ...layout.edges.map(arrow),
    ...layout.nodes.map(node),
    ...layout.frames.map(frameTitle),
    ...layout.edges.map(label),
    '</g>',
    '</svg>',
  ].join('\n');
  return { svg: `${svg}\n`, width, height, style };
}

function frame({ frame: { parallel }, from, to }: PlacedFrame): string {
  return `<rect class="jj-frame${parallel ? ' jj-parallel' : ''}" x="${round(from.x)}" y="${round(from.y)}" width="${round(to.x - from.x)}" height="${round(to.y - from.y)}" rx="10"/>`;
}

/** Drawn above the edges, which may cross it. */
function frameTitle({ label, from }: PlacedFrame): string {
  return `<text class="jj-frame-label" x="${round(from.x + 10)}" y="${round(from.y + 18)}">${escaped(label)}</text>`;
}

function node({ node: drawn, box, at }: PlacedNode): string {
  const { key, name, shape, detail, overlay } = drawn;
  const tooltip = [name, detail, markOf(drawn), overlay?.error ?? ''].filter((text) => text !== '');
  const classes = ['jj-node', `jj-${shape}`, ...(overlay === null ? [] : ['jj-marked', `jj-${overlay.status}`])];
  // The baseline of the first line, so that all lines together are centred.
  const top = (-box.lines.length * LINE_HEIGHT) / 2 + 12;
  return [
    `<g class="${classes.join(' ')}" id="${key}" transform="translate(${round(at.x)} ${round(at.y)})">`,
    `<title>${escaped(tooltip.map((text) => oneLine(text, 300)).join('\n'))}</title>`,
    shapeOutline(shape, box.width, box.height),
    ...box.lines.map((line, i) => textLine(line, top + i * LINE_HEIGHT, ICONS[shape])),
    '</g>',
  ].join('');
}

function textLine({ text, role }: TextLine, y: number, icon: string): string {
  if (role !== 'name') return `<text class="jj-${role}" y="${y}">${escaped(text)}</text>`;
  const left = -(widthOf(text, SIZES.name, true) + ICON + 6) / 2;
  const drawn = `<g class="jj-icon" transform="translate(${round(left)} ${y - 13})">${icon}</g>`;
  return `${drawn}<text class="jj-name" x="${(ICON + 6) / 2}" y="${y}">${escaped(text)}</text>`;
}

function arrow({ edge, curve, tip, atStart }: PlacedEdge): string {
  const [start, ...rest] = curve;
  const path = `M${pointText(start)}${rest.length === 0 ? '' : `C${rest.map(pointText).join(' ')}`}`;
  const taken = edge.taken === null ? [] : [edge.taken > 0 ? 'jj-taken' : 'jj-untaken'];
  const classes = ['jj-edge', ...(edge.back ? ['jj-back'] : []), ...(edge.role === 'waits' ? ['jj-waits'] : []), ...taken];
  const from = (atStart ? curve[0] : curve.at(-1)) ?? tip;
  return `<g class="${classes.join(' ')}"><path d="${path}"/>${arrowHead(from, tip)}</g>`;
}

/** The arrow head: a triangle from the end of the curve to the tip. */
function arrowHead(from: Point, tip: Point): string {
  const [dx, dy] = [tip.x - from.x, tip.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const [nx, ny] = [(-dy / length) * 4, (dx / length) * 4];
  const corners = [tip, { x: from.x + nx, y: from.y + ny }, { x: from.x - nx, y: from.y - ny }];
  return `<polygon points="${corners.map(pointText).join(' ')}"/>`;
}

function label({ edge, lines, labelAt }: PlacedEdge): string {
  if (lines.length === 0 || labelAt === null) return '';
  const { height } = labelSize(lines);
  const top = labelAt.y - height / 2;
  const texts = lines.map((line, i) => `<text x="${round(labelAt.x)}" y="${round(top + 12 + i * 14)}">${escaped(line)}</text>`);
  const classes = `jj-label${edge.back ? ' jj-back' : ''}${edge.taken === 0 ? ' jj-untaken' : ''}`;
  return `<g class="${classes}"><title>${escaped(oneLine(edge.label, 500))}</title>${texts.join('')}</g>`;
}

function styleOf(palette: Palette, before: string): string {
  return [
    before,
    `.jj-diagram text{font-family:"DejaVu Sans",Verdana,"Segoe UI",system-ui,sans-serif;fill:${palette.ink};text-anchor:middle}`,
    `.jj-paper{fill:${palette.paper}}`,
    `.jj-diagram .jj-title{font-size:${SIZES.title}px;font-weight:bold;text-anchor:start}`,
    `.jj-diagram .jj-subtitle{font-size:${SIZES.subtitle}px;fill:${palette.muted};text-anchor:start}`,
    `.jj-diagram .jj-error{font-size:${SIZES.error}px;fill:${palette['line-failed']};text-anchor:start}`,
    `.jj-frame{fill:${palette.frame};stroke:${palette.line};stroke-dasharray:6 4;stroke-width:1}`,
    '.jj-parallel{stroke-dasharray:none}',
    `.jj-diagram .jj-frame-label{font-size:${SIZES.frame}px;fill:${palette.muted};text-anchor:start;stroke:${palette.frame};stroke-width:4px;stroke-linejoin:round;paint-order:stroke}`,
    `.jj-shape{fill:${palette.node};stroke:${palette.line};stroke-width:1.5}`,
    `.jj-solid{fill:${palette.ink}}`,
    `.jj-ring{fill:${palette.paper};stroke:${palette.ink};stroke-width:1.5}`,
    `.jj-icon{fill:none;stroke:${palette.accent};stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}`,
    `.jj-diagram .jj-name{font-size:${SIZES.name}px;font-weight:bold}`,
    `.jj-diagram .jj-detail{font-size:${SIZES.detail}px;fill:${palette.muted}}`,
    `.jj-diagram .jj-mark{font-size:${SIZES.mark}px}`,
    `.jj-edge path{fill:none;stroke:${palette.line};stroke-width:1.5}`,
    `.jj-edge polygon{fill:${palette.line}}`,
    `.jj-waits path{stroke-dasharray:2 4}`,
    `.jj-back path{stroke:${palette.back};stroke-dasharray:7 4}`,
    `.jj-back polygon{fill:${palette.back}}`,
    `.jj-diagram .jj-label text{font-size:${SIZES.edge}px;fill:${palette.muted};stroke:${palette.paper};stroke-width:3px;stroke-linejoin:round;paint-order:stroke}`,
    `.jj-diagram .jj-back text{fill:${palette.back}}`,
    `.jj-taken path{stroke:${palette['line-done']};stroke-width:2.5}`,
    `.jj-taken polygon{fill:${palette['line-done']}}`,
    '.jj-untaken{opacity:0.55}',
    ...STATUSES.map((status) => `.jj-${status} .jj-shape{fill:${palette[`fill-${status}`]};stroke:${palette[`line-${status}`]}}`),
    ...STATUSES.map((status) => `.jj-diagram .jj-${status} .jj-mark{fill:${palette[`line-${status}`]}}`),
    '.jj-active .jj-shape{stroke-width:3}',
    '.jj-queued .jj-shape,.jj-skipped .jj-shape{stroke-dasharray:4 3}',
    '.jj-skipped .jj-name,.jj-skipped .jj-detail,.jj-skipped .jj-icon{opacity:0.6}',
  ].join('');
}

function pointText(point: Point | undefined): string {
  return point === undefined ? '' : `${round(point.x)},${round(point.y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Escapes text for XML content and attributes. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

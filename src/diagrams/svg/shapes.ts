import type { Shape } from '../../../machines/views/diagram.ts';
import { outlineOf } from './outline.ts';
import type { Point } from './point.ts';

/** The outline of a node, centred at the origin, as SVG elements of class `jj-shape`. */
export function shapeOutline(shape: Shape, width: number, height: number): string {
  const [w, h] = [width / 2, height / 2];
  const polygon = (points: readonly Point[]): string =>
    `<polygon class="jj-shape" points="${points.map(({ x, y }) => `${x},${y}`).join(' ')}"/>`;
  const rect = (radius: number, inset = 0, more = ''): string =>
    `<rect class="jj-shape" x="${-w + inset}" y="${-h + inset}" width="${width - 2 * inset}" height="${height - 2 * inset}" rx="${radius}"${more}/>`;
  switch (shape) {
    case 'condition':
    case 'parallel':
    case 'join':
    case 'human_approval':
    case 'limit_exceeded':
    case 'http':
      return polygon(outlineOf(shape, width, height) ?? []);
    case 'wait':
      return rect(h);
    case 'subgraph':
      return `${rect(4)}${rect(2, 4)}`;
    case 'final':
      return `${rect(h)}${rect(h - 3, 3)}`;
    case 'python_fn':
    case 'java_fn':
      return `${rect(2)}<line class="jj-shape" x1="${-w + 6}" y1="${-h}" x2="${-w + 6}" y2="${h}"/>`;
    case 'begin':
      return '<circle class="jj-solid" r="9"/>';
    case 'finish':
      return '<circle class="jj-ring" r="10"/><circle class="jj-solid" r="5.5"/>';
    case 'tool':
      return rect(8);
    case 'retry':
    case 'approval':
    case 'child':
    case 'guard':
    case 'route':
    case 'arrived':
      return rect(h, 0, ' stroke-dasharray="4 3"');
    default: {
      const unhandled: never = shape;
      throw new TypeError(`no shape for ${JSON.stringify(unhandled)}`);
    }
  }
}

/** Line icons of 16 × 16 that show a node's kind without colour. */
export const ICONS: Readonly<Record<Shape, string>> = {
  tool: '<path d="M10.5 2a3.5 3.5 0 0 0-3.3 4.6L2.6 11.2a1.6 1.6 0 1 0 2.2 2.2l4.6-4.6A3.5 3.5 0 0 0 14 5.4L11.8 7.5 9 7 8.5 4.2 10.6 2z"/>',
  http: '<circle cx="8" cy="8" r="6"/><ellipse cx="8" cy="8" rx="2.6" ry="6"/><path d="M2 8h12"/>',
  python_fn: '<path d="M5.5 3C3 3 4.8 7 2.5 8c2.3 1 .5 5 3 5M10.5 3c2.5 0 .7 4 3 5-2.3 1-.5 5-3 5"/><path d="M7 8h2"/>',
  java_fn:
    '<path d="M3 8h8v3a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3zM11 9h1.500a1.5 1.5 0 0 1 0 3H11M5.5 6c-1-1.5 1-2 0-4M8.5 6c-1-1.5 1-2 0-4"/>',
  condition: '<path d="M8 2v4M8 6 3.5 12M8 6l4.5 6M2.5 9.500l1 2.8 2.7-1M13.5 9.500l-1 2.8-2.7-1"/>',
  parallel: '<path d="M8 2v4M3 6h10M3 6v7M8 6v7M13 6v7"/>',
  join: '<path d="M8 14v-4M3 10h10M3 10V3M8 10V3M13 10V3"/>',
  human_approval: '<circle cx="8" cy="5" r="3"/><path d="M2.5 14c.4-3.5 2.5-5 5.5-5s5.1 1.5 5.5 5"/>',
  wait: '<circle cx="8" cy="8" r="6"/><path d="M8 4v4l2.5 2"/>',
  subgraph: '<rect x="2" y="2" width="8" height="8" rx="1"/><rect x="6" y="6" width="8" height="8" rx="1"/>',
  limit_exceeded: '<circle cx="8" cy="8" r="6"/><path d="M4 12 12 4"/>',
  begin: '',
  finish: '',
  final: '<path d="M4 2v12M4 3h8l-2 2.5 2 2.5H4"/>',
  retry: '<path d="M13 8a5 5 0 1 1-1.6-3.700M13 2v3h-3"/>',
  approval: '<rect x="3.5" y="7" width="9" height="7" rx="1"/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"/>',
  child: '<rect x="2" y="2" width="8" height="8" rx="1"/><rect x="6" y="6" width="8" height="8" rx="1"/>',
  guard: '<path d="M3 14V3M13 14V3M3 6h10M3 10h10"/>',
  route: '<path d="M8 2v4M8 6 3.5 12M8 6l4.5 6"/>',
  arrived: '<path d="M3 8l3.5 3.500L13 5"/>',
};

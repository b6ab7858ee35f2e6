import type { Shape } from '../../../machines/views/diagram.ts';
import type { Point } from './point.ts';

/** Points on each round end of a pill, which is clipped as a polygon. */
const ARC_STEPS = 8;

/** The corners of a node's outline, centred at the origin; null = its bounding box, or a circle. */
export function outlineOf(shape: Shape, width: number, height: number): readonly Point[] | null {
  const [w, h] = [width / 2, height / 2];
  switch (shape) {
    case 'condition':
      return corners([0, -h], [w, 0], [0, h], [-w, 0]);
    case 'parallel':
      return corners([-w + 10, -h], [w - 10, -h], [w, h], [-w, h]);
    case 'join':
      return corners([-w, -h], [w, -h], [w - 10, h], [-w + 10, h]);
    case 'human_approval':
      return corners([-w + 14, -h], [w - 14, -h], [w, 0], [w - 14, h], [-w + 14, h], [-w, 0]);
    case 'limit_exceeded':
      return corners(
        [-w + 10, -h],
        [w - 10, -h],
        [w, -h + 10],
        [w, h - 10],
        [w - 10, h],
        [-w + 10, h],
        [-w, h - 10],
        [-w, -h + 10],
      );
    case 'http':
      return corners([-w, -h], [w - 12, -h], [w, -h + 12], [w, h], [-w, h]);
    case 'wait':
    case 'final':
    case 'retry':
    case 'approval':
    case 'child':
    case 'guard':
    case 'route':
    case 'arrived':
      return pill(w, h);
    default:
      return null;
  }
}

/**
 * Where an edge that ends at the bounding box of a node meets its outline. `at` is the centre of the node; the edge goes from `from` to `end`,
 * and on in this direction. It ends where it did if it misses the outline.
 */
export function atOutline(outline: readonly Point[], at: Point, from: Point, end: Point): Point {
  const [dx, dy] = [end.x - from.x, end.y - from.y];
  const crossings = outline.flatMap((corner, i) => {
    const next = outline[(i + 1) % outline.length] ?? corner;
    const [ax, ay] = [at.x + corner.x, at.y + corner.y];
    const [ex, ey] = [next.x - corner.x, next.y - corner.y];
    const parallel = dx * ey - dy * ex;
    if (Math.abs(parallel) < 1e-9) return [];
    const along = ((ax - from.x) * ey - (ay - from.y) * ex) / parallel;
    const onSide = ((ax - from.x) * dy - (ay - from.y) * dx) / parallel;
    return along >= 0 && onSide >= 0 && onSide <= 1 ? [along] : [];
  });
  if (crossings.length === 0) return end;
  const along = Math.min(...crossings);
  return { x: from.x + along * dx, y: from.y + along * dy };
}

function corners(...points: readonly (readonly [number, number])[]): readonly Point[] {
  return points.map(([x, y]) => ({ x, y }));
}

function pill(w: number, h: number): readonly Point[] {
  const end = (side: number): Point[] =>
    Array.from({ length: ARC_STEPS + 1 }, (_, i) => {
      const angle = -Math.PI / 2 + (Math.PI * i) / ARC_STEPS;
      return { x: side * (w - h + h * Math.cos(angle)), y: side * h * Math.sin(angle) };
    });
  return [...end(1), ...end(-1)];
}

import type { Point } from './graph-layout.ts';

const RADIUS = 6;

/** An SVG path through the points with rounded corners. */
export function pathOf(points: readonly Point[]): string {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return '';
  let path = `M${first.x},${first.y}`;
  for (let index = 1; index < points.length - 1; index++) {
    const [before, corner, after] = [points[index - 1], points[index], points[index + 1]];
    if (before === undefined || corner === undefined || after === undefined) continue;
    const from = towards(corner, before);
    const to = towards(corner, after);
    path += `L${from.x},${from.y}Q${corner.x},${corner.y} ${to.x},${to.y}`;
  }
  return `${path}L${last.x},${last.y}`;
}

function towards(from: Point, to: Point): Point {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  const by = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return { x: from.x + dx * by, y: from.y + dy * by };
}

import { describe, expect, it } from 'vitest';
import { atOutline, outlineOf } from '../../src/diagrams/svg/outline.ts';

describe('an edge ends at the outline of a node', () => {
  const at = { x: 100, y: 50 };

  it('also where the outline is far from the bounding box', () => {
    const hexagon = outlineOf('human_approval', 80, 40) ?? [];
    // From above, near the left corner of the bounding box: the side goes from (74, 30) to (60, 50).
    expect(atOutline(hexagon, at, { x: 67, y: 0 }, { x: 67, y: 30 })).toEqual({ x: 67, y: 40 });
    // From the side, at the middle, where the outline touches the box.
    expect(atOutline(hexagon, at, { x: 20, y: 50 }, { x: 60, y: 50 })).toEqual({ x: 60, y: 50 });
  });

  it('of a pill at its round ends', () => {
    const pill = outlineOf('wait', 80, 40) ?? [];
    const { x, y } = atOutline(pill, at, { x: 65, y: 0 }, { x: 65, y: 30 });
    expect(x).toBe(65);
    // The circle of radius 20 around (80, 50), as a polygon.
    expect(Math.abs(y - (50 - Math.sqrt(20 ** 2 - 15 ** 2)))).toBeLessThan(1);
  });

  it('or where it ended before, if it misses the outline', () => {
    const hexagon = outlineOf('human_approval', 80, 40) ?? [];
    expect(atOutline(hexagon, at, { x: 0, y: 0 }, { x: 0, y: 10 })).toEqual({ x: 0, y: 10 });
    expect(outlineOf('tool', 80, 40)).toBeNull();
  });
});

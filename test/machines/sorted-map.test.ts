import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { above, below, concat, firstIn, forEachIn, get, put, type SortedMap } from '../../machines/sorted-map.ts';

const key = fc.nat(60);

function valuesIn(map: SortedMap<number>, from: number, to: number): number[] {
  const values: number[] = [];
  forEachIn(map, from, to, (value) => values.push(value));
  return values;
}

describe('a sorted map', () => {
  it('has what was put into it, in order, and leaves earlier maps as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.nat())), key, key, (entries, from, to) => {
        let map: SortedMap<number> = null;
        const model = new Map<number, number>();
        const versions = entries.map(([k, value]) => {
          map = put(map, k, value);
          model.set(k, value);
          return { map, size: model.size };
        });
        const inOrder = [...model].sort(([a], [b]) => a - b);
        const within = inOrder.filter(([k]) => k >= from && k <= to).map(([, value]) => value);
        expect(valuesIn(map, from, to)).toEqual(within);
        expect(firstIn(map, from, to)).toBe(within[0]);
        expect(get(map, from)).toBe(model.get(from));
        const outside = inOrder.filter(([k]) => k < from || k > to).map(([, value]) => value);
        if (from <= to) expect(valuesIn(concat(below(map, from), above(map, to)), 0, 100)).toEqual(outside);
        for (const version of versions) expect(valuesIn(version.map, 0, 100)).toHaveLength(version.size);
      }),
    );
  });

  it('stays shallow when keys come in order', () => {
    let map: SortedMap<number> = null;
    for (let i = 0; i < 4_096; i++) map = put(map, i, i);
    const depth = (node: SortedMap<number>): number => (node === null ? 0 : 1 + Math.max(depth(node.left), depth(node.right)));
    expect(depth(map)).toBeLessThan(40);
  });
});

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChurnMap, ChurnSet } from '../../store/churn-map.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

describe('a map whose entries come and go', () => {
  it('has the entries of a map, in the same order', () => {
    const operation = fc.record({ key: fc.nat(99), op: fc.constantFrom('set', 'delete', 'delete', 'set', 'clear') });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 1_000, size: 'max' }), (operations) => {
        const churning = new ChurnMap<number, number>();
        const map = new Map<number, number>();
        for (const [at, { key, op }] of operations.entries()) {
          if (op === 'set') {
            churning.set(key, at);
            map.set(key, at);
          } else if (op === 'delete') expect(churning.delete(key)).toBe(map.delete(key));
          else if (at % 100 === 0) {
            churning.clear();
            map.clear();
          }
          expect([churning.size, churning.has(key), churning.get(key)]).toEqual([map.size, map.has(key), map.get(key)]);
        }
        expect([...churning]).toEqual([...map]);
        expect([...churning.keys()]).toEqual([...map.keys()]);
        expect([...churning.values()]).toEqual([...map.values()]);
      }),
    );
  });

  it('lets an iteration delete the entries that it gets', () => {
    const set = new ChurnSet<number>();
    for (let item = 0; item < 500; item += 1) set.add(item);
    const seen: number[] = [];
    for (const item of set) {
      seen.push(item);
      set.delete(item);
    }
    expect(seen).toHaveLength(500);
    expect(set.size).toBe(0);
  });

  it('keeps alive none of the values that were deleted before they were old', () => {
    const map = new ChurnMap<number, readonly number[]>();
    const value = (): readonly number[] => new Array<number>(1_000).fill(0);
    const live = 64;
    for (let key = 0; key < live; key += 1) map.set(key, value());
    // The tables of the map are old, as after hours.
    gc();
    const before = oldBytes();
    for (let key = live; key < 4_000; key += 1) {
      map.set(key, value());
      map.delete(key - live);
    }
    gc({ type: 'minor' });
    gc({ type: 'minor' });
    // With a `Map`, all values are there: 32 MB.
    expect((oldBytes() - before) / 2 ** 20).toBeLessThan(8);
  });
});

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN;
}

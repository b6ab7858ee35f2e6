import { describe, expect, it } from 'vitest';
import { Copies, type JsonObject } from '../../machines/json.ts';
import { changeBetween, changed, MAX_POINTER_KEYS, pointerKeysOf } from '../../machines/snapshot-change.ts';
import { Random } from '../support/random.ts';

const fields = (count: number, value: (index: number) => unknown = (index) => index): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value(index)])) as JsonObject;
const nested = (levels: number, inner: JsonObject): JsonObject => (levels === 0 ? inner : { a: nested(levels - 1, inner) });

/** Counts the keys that are copied. */
class CountedCopies extends Copies {
  keys = 0;

  override of(object: JsonObject) {
    const copy = super.of(object);
    if (copy !== object) this.keys += Object.keys(object).length;
    return copy;
  }
}

describe('a change of a snapshot', () => {
  it.each<readonly [string, JsonObject, JsonObject]>([
    ['keys that are odd', { '': 1, 'a/b': { '~': 1, '~1': 2 } }, { '': 2, 'a/b': { '~': 3 }, constructor: { x: 1 } }],
    ['null', { a: { b: 1 } }, { a: { b: null } }],
    ['lists', { a: [1, { b: 1 }] }, { a: [1, { b: 2 }] }],
    ['other types', { a: { b: 1 }, c: [1], d: 1 }, { a: [1], c: { x: 1 }, d: { y: {} } }],
  ])('leads from one to the other: %s', (_, before, after) => {
    const text = JSON.stringify(before);
    const change = changeBetween(before, after);
    expect(change).not.toBeNull();
    expect(changed(before, change ?? { set: {}, removed: [] })).toEqual(after);
    expect(JSON.stringify(before)).toBe(text);
    expect(changeBetween(after, structuredClone(after))).toBeNull();
  });

  it('leads from one to the other, for random ones', () => {
    const random = new Random(48);
    const object = (depth: number): JsonObject =>
      Object.fromEntries(
        Array.from({ length: random.between(0, 5) }, () => [
          random.pick(['a', 'b', 'c', '/', '~', '']),
          depth > 0 && random.chance(0.6) ? object(depth - 1) : random.between(0, 2),
        ]),
      );
    for (let n = 0; n < 500; n += 1) {
      const [before, after] = [object(4), object(4)];
      expect(changed(before, changeBetween(before, after) ?? { set: {}, removed: [] })).toEqual(after);
    }
  });

  it('is the whole if it would need too many or too deep pointers', () => {
    const wide = fields(MAX_POINTER_KEYS + 1);
    expect(
      pointerKeysOf(
        changeBetween(
          fields(MAX_POINTER_KEYS, () => 'x'),
          fields(MAX_POINTER_KEYS),
        ) ?? { set: {}, removed: [] },
      ),
    ).toBe(MAX_POINTER_KEYS);
    expect(changeBetween({}, wide)).toEqual({ set: { '': wide }, removed: [] });
    expect(changeBetween(wide, {})).toEqual({ set: { '': {} }, removed: [] });
    const deep = nested(900, { b: 1 });
    expect(changeBetween(deep, nested(900, { b: 2 }))?.set).toHaveProperty(['']);
    expect(changeBetween(deep, structuredClone(deep))).toBeNull();
  });

  it('copies each object once, however many pointers there are, and does not change the old one', () => {
    const before = fields(5_000, (index) => ({ index }));
    const copies = new CountedCopies();
    const set = Object.fromEntries(Object.keys(before).map((key) => [`/${key}/index`, 0]));
    const after = changed(before, { set, removed: Object.keys(before).map((key) => `/${key}/other`) }, copies);
    expect(copies.keys).toBe(10_000);
    expect(changed(after as JsonObject, { set: { '/k1': 'x' }, removed: [] }, copies)).toBe(after);
    expect(copies.keys).toBe(10_000);
    expect(before).toEqual(fields(5_000, (index) => ({ index })));
  });

  it('takes any depth that a log may have', () => {
    const pointer = '/a'.repeat(100_000);
    let part: unknown = changed({}, { set: { [pointer]: 1 }, removed: [] });
    for (let level = 0; level < 100_000; level += 1) part = (part as JsonObject).a;
    expect(part).toBe(1);
  });

  it('does not lead into lists, nor to prototypes', () => {
    const list = { a: { list: [1, 2] } };
    expect(changed(list, { set: { '/a/list/4294967290': 1 }, removed: [] })).toBe('/a/list/4294967290');
    expect(changed(list, { set: {}, removed: ['/a/list/0'] })).toBe('/a/list/0');
    expect(changed({}, { set: { '/__proto__/x': 1, '/constructor/y': 2 }, removed: [] })).toEqual({ constructor: { y: 2 } });
    expect(Object.hasOwn(Object, 'y') || 'x' in {}).toBe(false);
  });

  it('replaces what is neither an object nor a list on its way', () => {
    expect(changed({ a: 1 }, { set: { '/a/b/c': 1 }, removed: ['/d/e'] })).toEqual({ a: { b: { c: 1 } }, d: {} });
  });
});

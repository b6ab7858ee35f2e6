import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  isObject,
  type Json,
  type JsonObject,
  mergePatch,
  patchBetween,
  patchState,
} from '../../machines/json.ts';

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const object = fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.string()), json).map((value) => value as JsonObject);

function withoutNulls(value: Json): Json {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (part === null || key === '__proto__' ? [] : [[key, withoutNulls(part)]])),
  );
}

describe('a merge patch', () => {
  // The examples of RFC 7396, appendix A.
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j by %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });

  it('applied twice is the same as applied once', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toEqual(once);
      }),
    );
  });

  it('that is empty changes nothing', () => {
    fc.assert(fc.property(object, (target) => void expect(mergePatch(target, {})).toEqual(target)));
  });

  it('of nothing is the patch without its nulls', () => {
    fc.assert(fc.property(object, (patch) => void expect(mergePatch(undefined, patch)).toEqual(withoutNulls(patch))));
  });

  it('never changes its target', () => {
    fc.assert(
      fc.property(object, json, (target, patch) => {
        const before = JSON.stringify(target);
        mergePatch(target, patch);
        expect(JSON.stringify(target)).toBe(before);
      }),
    );
  });

  it('cannot change a prototype', () => {
    const merged = mergePatch(
      {},
      JSON.parse('{"__proto__": {"admin": true}, "a": {"__proto__": {"admin": true}}}'),
    ) as JsonObject;
    expect(merged).toEqual({ a: {} });
    expect(merged.admin).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});

describe('a patch to a state', () => {
  it.each([[null], [[1]], ['text'], [5], [undefined]])('that is %j changes nothing', (patch) => {
    const state = { a: 1 };
    expect(patchState(state, patch)).toBe(state);
  });
});

describe('canonical JSON', () => {
  it('is the same text for equal values, regardless of the order of keys', () => {
    const shuffled = (value: Json): Json =>
      Array.isArray(value)
        ? value.map(shuffled)
        : isObject(value)
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, part]) => [key, shuffled(part)]),
            )
          : value;
    fc.assert(fc.property(json, (value) => void expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value))));
  });

  it('is different text for different values', () => {
    expect(canonicalJson({ a: [1, 2] })).not.toBe(canonicalJson({ a: [2, 1] }));
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }));
  });
});

describe('the patch between two objects', () => {
  it('looks at each part once, however deep it is', () => {
    let looks = 0;
    const counted = (object: JsonObject): JsonObject =>
      new Proxy(object, {
        ownKeys: (target) => {
          looks += 1;
          return Reflect.ownKeys(target);
        },
      });
    const nested = (inner: JsonObject): JsonObject =>
      Array.from({ length: 200 }).reduce<JsonObject>((part) => ({ a: part }), inner);
    const patch = patchBetween(nested(counted({ x: 1, l: [1] })), nested(counted({ x: 2, l: [1] })));
    expect(patch).toEqual(nested({ x: 2 }));
    expect(looks).toBeLessThan(5);
    expect(patchBetween(nested({ x: {} }), nested({ x: {} }))).toEqual({});
  });
});

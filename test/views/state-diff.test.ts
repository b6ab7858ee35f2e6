import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, type Json } from '../../machines/json.ts';
import { type Change, stateDiff } from '../../src/views/state-diff.ts';

type Mutable = Json[] | { [key: string]: Json };

/** Applies the used subset of RFC 6902. */
function applied(value: Json, changes: readonly Change[]): Json {
  let root = JSON.parse(JSON.stringify(value)) as Json;
  for (const change of changes) {
    const steps = change.path
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop();
    if (last === undefined) {
      root = change.op === 'remove' ? null : change.value;
      continue;
    }
    const holder = steps.reduce((inner: Json, step) => (inner as { [key: string]: Json })[step] ?? null, root) as Mutable;
    if (Array.isArray(holder)) {
      if (change.op === 'remove') holder.splice(Number(last), 1);
      else holder.splice(Number(last), change.op === 'add' ? 0 : 1, change.value);
    } else if (change.op === 'remove') delete holder[last];
    else holder[last] = change.value;
  }
  return root;
}

describe('stateDiff', () => {
  it('lists added, removed and changed values', () => {
    const before = { kept: 1, gone: { a: [1] }, n: 1, deep: { x: null, y: 'a' } };
    const after = { kept: 1, n: 2, deep: { x: null, y: 'b', z: [] }, new: true };
    expect(stateDiff(before, after)).toEqual([
      { op: 'remove', path: '/gone', old: { a: [1] } },
      { op: 'replace', path: '/n', value: 2, old: 1 },
      { op: 'replace', path: '/deep/y', value: 'b', old: 'a' },
      { op: 'add', path: '/deep/z', value: [] },
      { op: 'add', path: '/new', value: true },
    ]);
  });

  it('removes elements from the end, and escapes keys', () => {
    expect(stateDiff({ 'a/b~c': [1, 2, 3, 4] }, { 'a/b~c': [1, 5] })).toEqual([
      { op: 'replace', path: '/a~1b~0c/1', value: 5, old: 2 },
      { op: 'remove', path: '/a~1b~0c/3', old: 4 },
      { op: 'remove', path: '/a~1b~0c/2', old: 3 },
    ]);
  });

  it('is empty for equal values, regardless of key order', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(stateDiff(value as Json, structuredClone(value) as Json)).toEqual([]);
      }),
    );
    expect(stateDiff({ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } })).toEqual([]);
  });

  it('yields the second value when applied to the first', () => {
    const json = fc
      .jsonValue()
      .map((value) => JSON.parse(JSON.stringify(value)) as Json)
      .filter((value) => !JSON.stringify(value).includes('__proto__'));
    fc.assert(
      fc.property(json, json, (before, after) => {
        expect(applied(before, stateDiff(before, after))).toEqual(after);
        const wrapped = { a: before, b: [before, after] };
        const other = { a: after, b: [after], c: before };
        expect(applied(wrapped, stateDiff(wrapped, other))).toEqual(other);
      }),
    );
    expect(isObject(applied({}, []))).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSameJson } from '../../machines/same-json.ts';

const value = fc.jsonValue({ maxDepth: 3 });

describe('two values', () => {
  it('are the same only if their texts are', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(isSameJson(a as never, JSON.parse(JSON.stringify(a)))).toBe(true);
        expect(isSameJson(a as never, b as never)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('are different if their members are in another order', () => {
    expect(isSameJson({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(false);
    expect(isSameJson({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(isSameJson([1], { 0: 1 } as never)).toBe(false);
  });

  it('are not called the same if they have no text, or that of another value', () => {
    expect(isSameJson(undefined, undefined)).toBe(false);
    expect(isSameJson(Number.NaN, Number.NaN)).toBe(false);
    expect(isSameJson({ a: undefined as never }, {})).toBe(false);
  });
});

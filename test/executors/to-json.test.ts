import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RESULT_DEPTH, MAX_RESULT_LENGTH, toJson } from '../../src/executors/to-json.ts';

const problemOf = (value: unknown): string => {
  try {
    toJson(value);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected to be refused');
};

const nested = (levels: number): unknown => {
  let value: unknown = 'core';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { in: value };
  return value;
};

describe('a result', () => {
  it('equals the parsed output of JSON.stringify, or has a key that is refused', () => {
    const key = fc.oneof(
      { weight: 9, arbitrary: fc.string() },
      { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor') },
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, fc.jsonValue({ maxDepth: 1 }), fc.array(tie('value')), fc.dictionary(key, tie('value'))),
    }));
    fc.assert(
      fc.property(value, (value) => {
        const text = JSON.stringify(value);
        if (text.includes('"__proto__":')) expect(problemOf(value)).toContain('"__proto__" is not allowed as a key');
        else expect(toJson(value)).toEqual(JSON.parse(text));
      }),
      { examples: [[JSON.parse('{"a":{"__proto__":false}}')]] },
    );
  });

  it('honours toJSON, boxes and class instances', () => {
    class Money {
      readonly cents = 150;
    }
    const value = {
      at: new Date(0),
      keyed: { toJSON: (key: string) => ({ key }) },
      boxed: [Object(5), Object('five'), Object(true)],
      money: new Money(),
    };
    expect(toJson(value)).toEqual(JSON.parse(JSON.stringify(value)));
  });

  it('calls toJSON once, as JSON.stringify does', () => {
    const answer = { n: 1, toJSON: () => answer };
    expect(toJson({ n: 1, toJSON: () => ({ again: { toJSON: () => 'inner' } }) })).toEqual({ again: 'inner' });
    expect(problemOf(answer)).toBe('result.toJSON: a function is not JSON');
  });

  it('writes undefined as null, and omits it from objects', () => {
    expect(toJson(undefined)).toBeNull();
    expect(toJson([undefined, { gone: undefined, kept: null }])).toEqual([null, { kept: null }]);
  });

  it('is a copy', () => {
    const value = { list: [{ n: 1 }] };
    const copy = toJson(value) as typeof value;
    value.list[0] = { n: 2 };
    expect(copy).toEqual({ list: [{ n: 1 }] });
  });

  it.each([
    [{ items: [1, { call: () => 1 }] }, 'result.items[1].call: a function is not JSON'],
    [{ id: 10n }, 'result.id: a bigint is not JSON'],
    [[Symbol('s')], 'result[0]: a symbol is not JSON'],
    [{ ratio: 0 / 0 }, 'result.ratio: NaN is not JSON'],
    [[1, Infinity], 'result[1]: Infinity is not JSON'],
    [{ rows: new Map([['a', 1]]) }, 'result.rows: a Map is not JSON'],
    [{ tags: new Set(['a']) }, 'result.tags: a Set is not JSON'],
    [{ later: Promise.resolve(1) }, 'result.later: a Promise is not JSON'],
    [{ bytes: new Uint8Array(3) }, 'result.bytes: a Uint8Array is not JSON'],
    [JSON.parse('{"a":{"__proto__":1}}'), 'result.a.__proto__: "__proto__" is not allowed as a key'],
  ])('refuses %o with its path', (value, problem) => {
    expect(problemOf(value)).toBe(problem);
  });

  it('refuses a getter that throws', () => {
    const trap = Object.defineProperty({}, 'x', {
      enumerable: true,
      get() {
        throw new Error('no');
      },
    });
    expect(problemOf({ trap })).toBe('result.trap: reading it failed: no');
  });

  it('may be nested deeply, up to the limit', () => {
    const cycle: { self?: unknown; other?: unknown } = {};
    cycle.self = cycle;
    cycle.other = cycle;
    expect(() => toJson(nested(MAX_RESULT_DEPTH))).not.toThrow();
    expect(problemOf(nested(MAX_RESULT_DEPTH + 1))).toMatch(/nested more than 1000 levels deep, or in a cycle/);
    expect(problemOf(nested(100_000))).toMatch(/nested more than/);
    expect(problemOf(cycle)).toMatch(/in a cycle/);
  });

  it('may be large, up to the limit', () => {
    expect(toJson('x'.repeat(MAX_RESULT_LENGTH - 100))).toHaveLength(MAX_RESULT_LENGTH - 100);
    expect(problemOf({ text: 'x'.repeat(MAX_RESULT_LENGTH) })).toBe('result: larger than 8 MiB');
    expect(problemOf(Array.from({ length: 3_000_000 }, () => 1))).toBe('result: larger than 8 MiB');
  });
});

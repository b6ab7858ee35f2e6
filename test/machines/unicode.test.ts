import { describe, expect, it } from 'vitest';
import type { Json } from '../../machines/json.ts';
import { noteWellFormed, pathOfIllFormedText } from '../../machines/unicode.ts';

describe('text with an unpaired surrogate', () => {
  it.each<[Json, string]>([
    ['\ud800', ''],
    [{ a: { b: ['x', { c: 'x\udc00' }] } }, 'a.b[1].c'],
    [{ a: [{ '\ud800': 1 }] }, 'a[0]'],
    [{ '\ud800': 1 }, ''],
  ])('is found in %j', (value, path) => {
    expect(pathOfIllFormedText(value)).toBe(path);
  });

  it('is not found where surrogates are paired, at any depth', () => {
    const deep = JSON.parse(`${'['.repeat(5_000)}"💥"${']'.repeat(5_000)}`) as Json;
    expect([
      pathOfIllFormedText({ '💥': '💥\u0000' }),
      pathOfIllFormedText(deep),
      pathOfIllFormedText(undefined),
      pathOfIllFormedText(null),
    ]).toEqual(Array(4).fill(null));
  });

  it('is not looked for in what is known to be well-formed, nor in its parts', () => {
    const value = { list: ['\ud800'], deep: { list: ['\ud800'] } };
    noteWellFormed(value);
    const { list, deep } = value;
    expect([value, { value }, list, { list }, [deep]].map(pathOfIllFormedText)).toEqual(Array(5).fill(null));
    expect(pathOfIllFormedText([deep.list])).toBe('[0][0]');
  });
});

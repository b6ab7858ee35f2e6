import { describe, expect, it } from 'vitest';
import type { Json } from '../../machines/json.ts';
import { charsUpTo } from '../../machines/json-size.ts';

const ANY = Number.POSITIVE_INFINITY;
const large = (): Json => ({ texts: Array.from({ length: 1_000 }, (_, i) => `text ${i}`), more: { a: null, b: [true, 1.5] } });

describe('the size of a value', () => {
  it('is about the length of its text, and never less than a sixth of its bytes', () => {
    for (const value of [large(), 'é"\n', [], {}, [[], {}], 1e21]) {
      const text = JSON.stringify(value);
      expect(charsUpTo(value, ANY)).toBeGreaterThanOrEqual(Buffer.byteLength(text) / 6);
      expect(charsUpTo(value, ANY)).toBeLessThan(1.5 * text.length + 10);
    }
  });

  it('is the same whether or not parts of it were counted before', () => {
    const part = large();
    const unknown = charsUpTo({ a: 1, part, again: [part] }, ANY);
    const size = charsUpTo(part, ANY);
    expect(charsUpTo(part, ANY)).toBe(size);
    expect(charsUpTo({ a: 1, part, again: [part] }, ANY)).toBe(unknown);
    expect(charsUpTo([part, part], ANY)).toBe(2 * size + 4);
  });

  it('is above the limit where counting stops, also for what was counted before', () => {
    const value = large();
    expect(charsUpTo(value, 100)).toBeGreaterThan(100);
    const size = charsUpTo(value, ANY);
    expect(size).toBeGreaterThan(10_000);
    expect(charsUpTo(value, 100)).toBeGreaterThan(100);
    expect(charsUpTo(value, size)).toBe(size);
  });
});

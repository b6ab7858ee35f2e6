import { describe, expect, it } from 'vitest';
import { hash32 } from '../../machines/hash.ts';

describe('the hash of a text', () => {
  it.each([
    ['', 2_872_998_923],
    ['a', 444_641_715],
    ['exec_1\nruntime-a', 3_744_000_703],
  ])('of %j never changes', (text, expected) => {
    expect(hash32(text)).toBe(expected);
  });

  it('spreads texts that differ only at their end', () => {
    const buckets = new Set(Array.from({ length: 64 }, (_, i) => hash32(`exec_0000000000${i}`) >>> 28));
    expect(buckets.size).toBe(16);
  });
});

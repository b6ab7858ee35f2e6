import { describe, expect, it } from 'vitest';
import { preferred } from '../../../src/runtime/fleet/rendezvous.ts';

const ids = ['runtime-a', 'runtime-b', 'runtime-c', 'runtime-d'];
const keys = Array.from({ length: 4_000 }, (_, i) => `exec_${i.toString(16).padStart(32, '0')}`);

describe('the preferred of several', () => {
  it('is nobody among none', () => {
    expect(preferred('key', [])).toBeNull();
  });

  it('is the same whoever asks, in whatever order', () => {
    for (const key of keys.slice(0, 50)) expect(preferred(key, ids)).toBe(preferred(key, [...ids].reverse()));
  });

  it('is each of them about equally often', () => {
    for (const id of ids) {
      const share = keys.filter((key) => preferred(key, ids) === id).length / keys.length;
      expect(share).toBeGreaterThan(0.22);
      expect(share).toBeLessThan(0.28);
    }
  });

  it('changes only for the keys of one who goes', () => {
    const left = ids.slice(1);
    for (const key of keys) {
      const before = preferred(key, ids);
      if (before !== ids[0]) expect(preferred(key, left)).toBe(before);
    }
  });
});

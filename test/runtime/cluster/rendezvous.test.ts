import { describe, expect, it } from 'vitest';
import { rendezvousOwner } from '../../../src/runtime/cluster/rendezvous.ts';

const ids = ['runtime-a', 'runtime-b', 'runtime-c', 'runtime-d'];
const keys = Array.from({ length: 4_000 }, (_, i) => `exec_${i.toString(16).padStart(32, '0')}`);

describe('the owner of a key', () => {
  it('is null without ids', () => {
    expect(rendezvousOwner('key', [])).toBeNull();
  });

  it('does not depend on the order of the ids', () => {
    for (const key of keys.slice(0, 50)) expect(rendezvousOwner(key, ids)).toBe(rendezvousOwner(key, [...ids].reverse()));
  });

  it('is each id about equally often', () => {
    for (const id of ids) {
      const share = keys.filter((key) => rendezvousOwner(key, ids) === id).length / keys.length;
      expect(share).toBeGreaterThan(0.22);
      expect(share).toBeLessThan(0.28);
    }
  });

  it('changes only for the keys of a removed id', () => {
    const left = ids.slice(1);
    for (const key of keys) {
      const before = rendezvousOwner(key, ids);
      if (before !== ids[0]) expect(rendezvousOwner(key, left)).toBe(before);
    }
  });
});

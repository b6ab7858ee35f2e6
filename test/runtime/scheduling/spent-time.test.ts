import { describe, expect, it } from 'vitest';
import { SpentTime } from '../../../src/runtime/scheduling/spent-time.ts';

describe('the time that keys have spent', () => {
  it('is light below the mean, and heavy above three times the mean of the others', () => {
    const spent = new SpentTime();
    expect([spent.isLight('a'), spent.isHeavy('a')]).toEqual([false, false]);
    spent.add('a', 3);
    spent.add('a', 3);
    expect([spent.keys, spent.isLight('a'), spent.isHeavy('a'), spent.isLight('new')]).toEqual([1, false, false, true]);
    spent.add('b', 2);
    expect([spent.isLight('a'), spent.isHeavy('a'), spent.isLight('b'), spent.isHeavy('b')]).toEqual([false, false, true, false]);
    spent.add('c', 1.9);
    expect([spent.keys, spent.isHeavy('a'), spent.isLight('b')]).toEqual([3, true, true]);
  });

  it('counts half after a while, and is forgotten, also when the clock is set back', () => {
    const spent = new SpentTime();
    spent.decay(1_000);
    spent.add('a', 8);
    spent.add('b', 0.6);
    spent.decay(1_099);
    expect(spent.keys).toBe(2);
    spent.decay(1_100);
    spent.add('c', 3.9);
    expect([spent.keys, spent.isLight('a'), spent.isLight('c')]).toEqual([2, false, true]);
    for (const nowMs of [500, 400, 300, 200, 100, 0]) spent.decay(nowMs);
    expect([spent.keys, spent.isLight('a')]).toEqual([0, false]);
  });
});

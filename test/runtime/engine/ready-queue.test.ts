import { describe, expect, it } from 'vitest';
import { ReadyQueue } from '../../../src/runtime/engine/ready-queue.ts';

const SHARE = 100;
const item = (name: string, urgent = false) => ({ name, urgent });

function namesOf(queue: ReadyQueue<{ readonly name: string; readonly urgent: boolean }>): string[] {
  const names: string[] = [];
  for (let next = queue.take(); next !== null; next = queue.take()) names.push(next.name);
  return names;
}

describe('the ready queue', () => {
  it('gives out items of tenants in turn, each in order of arrival', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>(SHARE);
    for (const name of ['a1', 'a2', 'a3']) queue.push('acme', item(name));
    queue.push('zeta', item('z1'));
    queue.push('omega', item('o1'));
    expect(queue.size).toBe(5);
    expect(namesOf(queue)).toEqual(['a1', 'z1', 'o1', 'a2', 'a3']);
    expect(queue.size).toBe(0);
  });

  it('gives out urgent items first, also if they become urgent while they wait', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>(SHARE);
    const late = item('a2');
    queue.push('acme', item('a1'));
    queue.push('acme', late);
    queue.push('acme', item('a3', true));
    queue.promote('acme', late);
    queue.promote('acme', late);
    expect(queue.size).toBe(3);
    expect(namesOf(queue)).toEqual(['a3', 'a2', 'a1']);
  });

  it('lets others go first, in turn, until a tenant has made up for what its items have cost', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>(SHARE);
    for (const name of ['a1', 'a2']) queue.push('acme', item(name));
    queue.take();
    queue.charge('acme', 2 * SHARE);
    for (const name of ['z1', 'z2', 'z3', 'z4']) queue.push('zeta', item(name));
    for (const name of ['o1', 'o2', 'o3', 'o4']) queue.push('omega', item(name));
    expect(namesOf(queue)).toEqual(['z1', 'o1', 'z2', 'o2', 'z3', 'o3', 'a2', 'z4', 'o4']);
  });

  it('says when only tenants wait that have used up their share, and gives out their items all the same', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>(SHARE);
    for (const name of ['a1', 'a2', 'a3']) queue.push('acme', item(name));
    queue.push('zeta', item('z1'));
    expect(queue.takeWithinShare()?.name).toBe('a1');
    queue.charge('acme', SHARE);
    expect(queue.takeWithinShare()?.name).toBe('z1');
    queue.charge('zeta', 1);
    expect([queue.takeWithinShare(), queue.size]).toEqual([null, 2]);
    expect(queue.take()?.name).toBe('a2');
  });

  it('holds nothing against a tenant that waits alone, nor more than 16 shares', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>(SHARE);
    for (const name of ['a1', 'a2', 'a3', 'a4']) queue.push('acme', item(name));
    queue.take();
    queue.charge('acme', 1e9);
    expect(queue.take()?.name).toBe('a2');
    queue.charge('acme', 1e9);
    for (let n = 1; n <= 20; n += 1) queue.push('zeta', item(`z${n}`));
    expect(namesOf(queue).indexOf('a3')).toBe(18);
  });

  it('gives out an item that is expected to cost more than a share only as the first, and then as the next one', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>(SHARE);
    for (const name of ['a1', 'a2', 'a3']) queue.push('acme', item(name));
    expect(queue.take()?.name).toBe('a1');
    queue.charge('acme', SHARE + 1);
    for (const name of ['z1', 'z2', 'z3', 'z4']) queue.push('zeta', item(name));
    const batches: string[][] = [];
    while (queue.size > 0) {
      const batch: string[] = [];
      for (let next = queue.take(); next !== null; next = queue.takeWithinShare()) {
        batch.push(next.name);
        queue.charge(next.name.startsWith('a') ? 'acme' : 'zeta', next.name.startsWith('a') ? SHARE + 1 : 1);
        if (next.name.startsWith('a')) break;
      }
      batches.push(batch);
    }
    expect(batches).toEqual([['z1', 'z2', 'z3', 'z4'], ['a2'], ['a3']]);
  });
});

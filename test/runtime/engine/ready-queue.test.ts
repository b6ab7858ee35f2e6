import { describe, expect, it } from 'vitest';
import { ReadyQueue } from '../../../src/runtime/engine/ready-queue.ts';

const item = (name: string, urgent = false) => ({ name, urgent });

function namesOf(queue: ReadyQueue<{ readonly name: string; readonly urgent: boolean }>): string[] {
  const names: string[] = [];
  for (let next = queue.take(); next !== null; next = queue.take()) names.push(next.name);
  return names;
}

describe('the ready queue', () => {
  it('gives out items of tenants in turn, each in order of arrival', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>();
    for (const name of ['a1', 'a2', 'a3']) queue.push('acme', item(name));
    queue.push('zeta', item('z1'));
    queue.push('omega', item('o1'));
    expect(queue.size).toBe(5);
    expect(namesOf(queue)).toEqual(['a1', 'z1', 'o1', 'a2', 'a3']);
    expect(queue.size).toBe(0);
  });

  it('gives out urgent items first, also if they become urgent while they wait', () => {
    const queue = new ReadyQueue<ReturnType<typeof item>>();
    const late = item('a2');
    queue.push('acme', item('a1'));
    queue.push('acme', late);
    queue.push('acme', item('a3', true));
    queue.promote('acme', late);
    queue.promote('acme', late);
    expect(queue.size).toBe(3);
    expect(namesOf(queue)).toEqual(['a3', 'a2', 'a1']);
  });
});

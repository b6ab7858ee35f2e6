import { describe, expect, it } from 'vitest';
import { nextTurn } from '../../store/loop-turns.ts';

describe('long reads that wait for their turn', () => {
  it('go on one in each turn of the event loop, however many there are; tenants take turns', async () => {
    const resumed: string[] = [];
    const turns: string[][] = [];
    const read = async (name: string): Promise<void> => {
      for (let n = 0; n < 2; n += 1) {
        await nextTurn(name.slice(0, 1));
        resumed.push(name);
      }
    };
    const all = Promise.all(['a1', 'a2', 'a3', 'b1'].map(read));
    let done = false;
    const finished = all.then(() => {
      done = true;
    });
    while (!done) {
      await new Promise(setImmediate);
      turns.push(resumed.splice(0));
    }
    await finished;
    const each = turns.filter((names) => names.length > 0);
    expect(each.map((names) => names.length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(each.flat().slice(0, 4)).toEqual(['a1', 'b1', 'a2', 'b1']);
  });
});

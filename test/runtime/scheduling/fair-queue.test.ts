import { describe, expect, it } from 'vitest';
import { FairQueue, type FairQueueLimits } from '../../../src/runtime/scheduling/fair-queue.ts';

const LIMITS: FairQueueLimits = { active: 2, activePerKey: 1, waiting: 6, waitingPerKey: 4 };

/** A queue whose jobs end when the test releases them, and the names of the jobs in the order of their start. */
function watched(limits: FairQueueLimits = LIMITS) {
  const queue = new FairQueue('too many are waiting', limits);
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const ask = (key: string, name: string, signal?: AbortSignal): Promise<string> =>
    queue.run(
      key,
      () => {
        began.push(name);
        return new Promise((resolve) => ends.set(name, () => resolve(name)));
      },
      signal,
    );
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const settle = (): Promise<void> => end('');
  return { queue, began, ask, end, settle };
}

describe('a fair queue', () => {
  it('limits the running jobs in all and per key', async () => {
    const { began, ask, end, settle, queue } = watched();
    const all = [ask('a', 'a1'), ask('a', 'a2'), ask('b', 'b1'), ask('c', 'c1')];
    await settle();
    expect([began, queue.active, queue.waiting]).toEqual([['a1', 'b1'], 2, 2]);
    await end('b1');
    expect(began).toEqual(['a1', 'b1', 'c1']);
    await end('a1');
    expect(began).toEqual(['a1', 'b1', 'c1', 'a2']);
    await end('a2');
    await end('c1');
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'b1', 'c1']);
    expect([queue.active, queue.waiting]).toEqual([0, 0]);
  });

  it('serves keys in turn, however many jobs of one are waiting', async () => {
    const { began, ask, end, settle } = watched({ ...LIMITS, active: 1 });
    const all = [ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3'), ask('a', 'a4'), ask('b', 'b1'), ask('b', 'b2')];
    await settle();
    for (const name of ['a1', 'a2', 'b1', 'a3', 'b2', 'a4']) await end(name);
    await Promise.all(all);
    expect(began).toEqual(['a1', 'a2', 'b1', 'a3', 'b2', 'a4']);
  });

  it('refuses jobs when too many of a key or in all are waiting', async () => {
    const { ask, end, settle } = watched({ active: 1, activePerKey: 1, waiting: 3, waitingPerKey: 2 });
    const waiting = [ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3')];
    await expect(ask('a', 'a4')).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 });
    waiting.push(ask('b', 'b1'));
    await expect(ask('c', 'c1')).rejects.toMatchObject({ code: 'overloaded' });
    await settle();
    for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);
    expect(await Promise.all(waiting)).toHaveLength(4);
  });

  it('skips aborted jobs, and continues after a failed one', async () => {
    const { began, ask, end, settle, queue } = watched({ ...LIMITS, active: 1 });
    const first = ask('a', 'a1');
    const gone = new AbortController();
    const abandoned = ask('a', 'a2', gone.signal);
    const last = ask('a', 'a3');
    await settle();
    gone.abort();
    await expect(abandoned).rejects.toMatchObject({ code: 'shutting_down' });
    await expect(ask('a', 'a4', gone.signal)).rejects.toMatchObject({ code: 'shutting_down' });
    await end('a1');
    expect(began).toEqual(['a1', 'a3']);
    await end('a3');
    await Promise.all([first, last]);
    await expect(queue.run('a', async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect([queue.active, queue.waiting]).toEqual([0, 0]);
  });
});

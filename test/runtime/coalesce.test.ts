import { describe, expect, it } from 'vitest';
import { Coalesced } from '../../src/runtime/coalesce.ts';

interface Run {
  readonly end: (answer: number) => void;
  readonly fail: (error: Error) => void;
}

/** Work whose runs end when the test says so. */
function controlled(): { readonly runs: Run[]; readonly work: () => Promise<number> } {
  const runs: Run[] = [];
  return { runs, work: () => new Promise((end, fail) => runs.push({ end, fail })) };
}

describe('coalesced work', () => {
  it('starts at once, and shares one further run among all calls during a run', async () => {
    const { runs, work } = controlled();
    const coalesced = new Coalesced(work);
    const first = coalesced.run();
    const [second, third] = [coalesced.run(), coalesced.run()];
    expect(runs).toHaveLength(1);
    // Between the end of the first run and the start of the second.
    const fourth = first.then(() => coalesced.run());
    runs[0]?.end(1);
    expect(await first).toBe(1);
    await new Promise(setImmediate);
    expect(runs).toHaveLength(2);
    runs[1]?.end(2);
    expect(await Promise.all([second, third, fourth])).toEqual([2, 2, 2]);
  });

  it('rejects only the calls of the run that failed', async () => {
    const { runs, work } = controlled();
    const coalesced = new Coalesced(work);
    const first = coalesced.run();
    const second = coalesced.run();
    runs[0]?.fail(new Error('no'));
    await expect(first).rejects.toThrow('no');
    await new Promise(setImmediate);
    runs[1]?.end(2);
    expect(await second).toBe(2);
  });

  it('is idle when no run is in progress or requested', async () => {
    const { runs, work } = controlled();
    const coalesced = new Coalesced(work);
    await coalesced.idle();
    const all = [coalesced.run(), coalesced.run()];
    let isIdle = false;
    const idle = coalesced.idle().then(() => {
      isIdle = true;
    });
    runs[0]?.end(1);
    await new Promise(setImmediate);
    expect(isIdle).toBe(false);
    runs[1]?.end(2);
    await Promise.all([...all, idle]);
  });
});

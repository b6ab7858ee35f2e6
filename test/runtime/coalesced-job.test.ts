import { describe, expect, it } from 'vitest';
import { CoalescedJob } from '../../src/runtime/coalesced-job.ts';
import { FakeClock } from '../support/clock.ts';
import { eventually } from '../support/runtimes.ts';

describe('a coalesced job', () => {
  it('never runs twice at a time, and runs once more if requested meanwhile', async () => {
    const ends: (() => void)[] = [];
    const pump = new CoalescedJob(
      { clock: new FakeClock(), onError: () => {} },
      () => new Promise<void>((resolve) => ends.push(resolve)),
    );
    pump.request();
    pump.request();
    pump.request();
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await eventually(() => ends.length === 2);
    ends[1]?.();
    const through = pump.requestAndWait();
    await eventually(() => ends.length === 3);
    ends[2]?.();
    await through;
    expect(ends).toHaveLength(3);
  });

  it('reports a failure and retries with growing delays', async () => {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    let jobs = 0;
    const pump = new CoalescedJob({ clock, onError: (error) => errors.push(error) }, async () => {
      jobs += 1;
      if (jobs < 3) throw new Error(`no ${jobs}`);
    });
    await pump.requestAndWait();
    clock.advance(100);
    await eventually(() => jobs === 2);
    clock.advance(199);
    expect(jobs).toBe(2);
    clock.advance(1);
    await eventually(() => jobs === 3);
    expect(errors.map(String)).toEqual(['Error: no 1', 'Error: no 2']);
  });

  it('runs no more once closed, and waits for the run in progress', async () => {
    let end: () => void = () => {};
    let jobs = 0;
    const pump = new CoalescedJob({ clock: new FakeClock(), onError: () => {} }, () => {
      jobs += 1;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    pump.request();
    pump.request();
    const closed = pump.close();
    end();
    await closed;
    await pump.requestAndWait();
    expect(jobs).toBe(1);
  });
});

import { describe, expect, it } from 'vitest';
import { CoalescedJob } from '../../src/runtime/coalesced-job.ts';
import { FakeClock } from '../support/clock.ts';
import { eventually } from '../support/runtimes.ts';

describe('a coalesced job', () => {
  it('never runs twice at a time, and runs once more if requested meanwhile', async () => {
    const ends: (() => void)[] = [];
    const job = new CoalescedJob(
      { clock: new FakeClock(), onError: () => {} },
      () => new Promise<void>((resolve) => ends.push(resolve)),
    );
    job.request();
    job.request();
    job.request();
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await eventually(() => ends.length === 2);
    ends[1]?.();
    const ended = job.requestAndWait();
    await eventually(() => ends.length === 3);
    ends[2]?.();
    await ended;
    expect(ends).toHaveLength(3);
  });

  it('reports a failure and retries with growing delays', async () => {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    let runs = 0;
    const job = new CoalescedJob({ clock, onError: (error) => errors.push(error) }, async () => {
      runs += 1;
      if (runs < 3) throw new Error(`no ${runs}`);
    });
    await job.requestAndWait();
    clock.advance(100);
    await eventually(() => runs === 2);
    clock.advance(199);
    expect(runs).toBe(2);
    clock.advance(1);
    await eventually(() => runs === 3);
    expect(errors.map(String)).toEqual(['Error: no 1', 'Error: no 2']);
  });

  it('runs no more once closed, and waits for the run in progress', async () => {
    let end: () => void = () => {};
    let runs = 0;
    const job = new CoalescedJob({ clock: new FakeClock(), onError: () => {} }, () => {
      runs += 1;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    job.request();
    job.request();
    const closed = job.close();
    end();
    await closed;
    await job.requestAndWait();
    expect(runs).toBe(1);
  });
});

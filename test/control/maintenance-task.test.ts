import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MaintenanceTask } from '../../src/control/maintenance-task.ts';
import { FakeClock } from '../support/clock.ts';

const HOUR_MS = 3_600_000;

class Hourly extends MaintenanceTask {
  readonly clock: FakeClock;
  readonly errors: unknown[];
  runs = 0;
  isBroken = false;

  constructor() {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    super({ clock, onError: (error) => errors.push(error) });
    this.clock = clock;
    this.errors = errors;
    onTestFinished(() => this.close());
  }

  protected override async run(): Promise<number> {
    this.runs += 1;
    if (this.isBroken) throw new Error('the disk is full');
    return this.clock.nowMs() + HOUR_MS;
  }
}

describe('maintenance task', () => {
  it('runs at start and at the time that the last run gave', async () => {
    const task = new Hourly();
    await task.start();
    await turn();
    task.clock.advance(HOUR_MS - 1);
    expect(task.runs).toBe(1);
    task.clock.advance(1);
    expect(task.runs).toBe(2);
  });

  it('reports a failure and runs again ten minutes later', async () => {
    const task = new Hourly();
    task.isBroken = true;
    await task.start();
    await turn();
    task.isBroken = false;
    task.clock.advance(HOUR_MS / 6);
    expect(task.runs).toBe(2);
    expect(task.errors).toEqual([new Error('the disk is full')]);
  });

  it('does not run while another process does, and starts again after it', async () => {
    const task = new Hourly();
    await task.start();
    await task.standBy();
    task.clock.advance(HOUR_MS);
    expect(task.runs).toBe(1);
    await task.start();
    await turn();
    expect(task.runs).toBe(2);
    await task.close();
    task.clock.advance(HOUR_MS);
    expect(task.runs).toBe(2);
  });
});

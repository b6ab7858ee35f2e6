import { describe, expect, it } from 'vitest';
import { CpuTime } from '../../src/runtime/clock.ts';

function compute(ms: number): void {
  const since = process.cpuUsage();
  for (let used = since; (used.user + used.system - since.user - since.system) / 1_000 < ms; ) used = process.cpuUsage();
}

describe('the clock of CPU time', () => {
  it('goes on while the process computes', () => {
    const clock = new CpuTime();
    const before = clock.nowMs();
    compute(50);
    // Other threads of the process compute as well, which is not counted beyond the time that passes.
    expect(clock.nowMs() - before).toBeGreaterThan(20);
  });

  it('hardly goes on while the process waits', () => {
    const clock = new CpuTime();
    const before = clock.nowMs();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    expect(clock.nowMs() - before).toBeLessThan(250);
  });
});

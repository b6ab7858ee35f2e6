import { describe, expect, it } from 'vitest';
import { DeadlineTimer } from '../../../src/runtime/timers/deadline-timer.ts';
import { FakeClock } from '../../support/clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A clock that can be set without firing timeouts. */
class SetClock extends FakeClock {
  aheadMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.aheadMs;
  }
}

function bench() {
  const clock = new SetClock();
  let fired = 0;
  const timer = new DeadlineTimer(clock, () => (fired += 1));
  return { clock, timer, fired: () => fired };
}

describe('a deadline timer', () => {
  it('fires at its time, once', () => {
    const { clock, timer, fired } = bench();
    timer.scheduleAt(clock.nowMs() + 3 * HOUR);
    clock.advance(3 * HOUR - 1);
    expect(fired()).toBe(0);
    clock.advance(1);
    expect(fired()).toBe(1);
    clock.advance(HOUR);
    expect(fired()).toBe(1);
  });

  it('fires at most a minute late when its time has passed unnoticed, as while a machine sleeps', () => {
    const { clock, timer, fired } = bench();
    timer.scheduleAt(clock.nowMs() + HOUR);
    clock.advance(10 * MINUTE);
    clock.aheadMs = 8 * HOUR;
    clock.advance(MINUTE);
    expect(fired()).toBe(1);
  });

  it('continues to wait when the clock is set back', () => {
    const { clock, timer, fired } = bench();
    timer.scheduleAt(clock.nowMs() + HOUR);
    clock.aheadMs = -HOUR;
    clock.advance(HOUR);
    expect(fired()).toBe(0);
    clock.advance(HOUR);
    expect(fired()).toBe(1);
  });

  it('does not fire once stopped', () => {
    const { clock, timer, fired } = bench();
    timer.scheduleAt(clock.nowMs() + HOUR);
    clock.advance(MINUTE);
    timer.stop();
    clock.advance(2 * HOUR);
    expect(fired()).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { DeadlineTimer } from '../../../src/runtime/timers/deadline-timer.ts';
import { FakeClock } from '../../support/clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A clock that may be set, which nobody who waits is told of. */
class SetClock extends FakeClock {
  aheadMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.aheadMs;
  }
}

function bench() {
  const clock = new SetClock();
  let rings = 0;
  const alarm = new DeadlineTimer(clock, () => (rings += 1));
  return { clock, alarm, rings: () => rings };
}

describe('an alarm', () => {
  it('rings at its time, once', () => {
    const { clock, alarm, rings } = bench();
    alarm.scheduleAt(clock.nowMs() + 3 * HOUR);
    clock.advance(3 * HOUR - 1);
    expect(rings()).toBe(0);
    clock.advance(1);
    expect(rings()).toBe(1);
    clock.advance(HOUR);
    expect(rings()).toBe(1);
  });

  it('rings a minute late at most when its time has passed unnoticed, as while a machine sleeps', () => {
    const { clock, alarm, rings } = bench();
    alarm.scheduleAt(clock.nowMs() + HOUR);
    clock.advance(10 * MINUTE);
    clock.aheadMs = 8 * HOUR;
    clock.advance(MINUTE);
    expect(rings()).toBe(1);
  });

  it('waits on when the clock was set back', () => {
    const { clock, alarm, rings } = bench();
    alarm.scheduleAt(clock.nowMs() + HOUR);
    clock.aheadMs = -HOUR;
    clock.advance(HOUR);
    expect(rings()).toBe(0);
    clock.advance(HOUR);
    expect(rings()).toBe(1);
  });

  it('that was stopped does not ring', () => {
    const { clock, alarm, rings } = bench();
    alarm.scheduleAt(clock.nowMs() + HOUR);
    clock.advance(MINUTE);
    alarm.stop();
    clock.advance(2 * HOUR);
    expect(rings()).toBe(0);
  });
});

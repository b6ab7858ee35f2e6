import { describe, expect, it } from 'vitest';
import { retryForever } from '../../src/runtime/retry-forever.ts';
import { StoreError } from '../../store/port/errors.ts';
import { FakeClock } from '../support/clock.ts';
import { eventually } from '../support/runtimes.ts';

const unavailable = () => Promise.reject(new StoreError('store_unavailable', 'for a moment'));

describe('what must not be lost while the store is unreachable', () => {
  it('is attempted again after a delay', async () => {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    let attempts = 0;
    const stopping = new AbortController().signal;
    const outcome = retryForever({ clock, stopping, onError: (error) => errors.push(error) }, () => {
      attempts += 1;
      return attempts < 3 ? unavailable() : Promise.resolve('done');
    });
    for (const delayMs of [100, 200]) {
      await eventually(() => clock.waiting === 1);
      clock.advance(delayMs);
    }
    expect(await outcome).toBe('done');
    expect(errors).toHaveLength(2);
  });

  it('is given up at once when the runtime stops, without the rest of the delay', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const outcome = retryForever({ clock, stopping: controller.signal, onError: () => {} }, unavailable);
    await eventually(() => clock.waiting === 1);
    controller.abort();
    expect(await outcome).toBeNull();
    expect(clock.waiting).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { EventBus } from '../../src/runtime/events.ts';

describe('the events of a runtime', () => {
  it('reach their subscribers in the order of subscription, until these unsubscribe', () => {
    const events = new EventBus(() => {});
    const seen: string[] = [];
    const unsubscribe = events.on('timerSet', (atMs) => seen.push(`first ${atMs}`));
    events.on('timerSet', (atMs) => seen.push(`second ${atMs}`));
    events.emit('timerSet', 1);
    unsubscribe();
    events.emit('timerSet', 2);
    expect(seen).toEqual(['first 1', 'second 1', 'second 2']);
  });

  it('reach the other subscribers when one throws, which is reported', () => {
    const errors: unknown[] = [];
    const events = new EventBus((error) => errors.push(error));
    const seen: number[] = [];
    events.on('timerSet', () => {
      throw new Error('failed');
    });
    events.on('timerSet', (atMs) => seen.push(atMs));
    events.emit('timerSet', 1);
    expect([seen, errors]).toEqual([[1], [new Error('failed')]]);
  });
});

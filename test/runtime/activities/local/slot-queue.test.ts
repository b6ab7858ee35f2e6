import { describe, expect, it } from 'vitest';
import type { ActivityTask } from '../../../../src/runtime/activities/local/activity-task.ts';
import { SlotQueue } from '../../../../src/runtime/activities/local/slot-queue.ts';
import { Slots } from '../../../../src/runtime/activities/local/slots.ts';
import { FakeClock } from '../../../support/clock.ts';

const MAX_WAIT_MS = 10_000;

function open(perTenant: number) {
  const clock = new FakeClock();
  const slots = new Slots<ActivityTask>(perTenant);
  const expired: ActivityTask[] = [];
  const onExpired = (task: ActivityTask) => expired.push(task);
  const queue = new SlotQueue({ slots, clock, maxWaitMs: MAX_WAIT_MS, isActive: () => true, onExpired });
  return { clock, queue, expired };
}

const taskOf = (tenantId: string, executionId: string) =>
  ({ tenantId, executionId, waitsSinceMs: null }) as unknown as ActivityTask;

describe('tasks that wait for a slot', () => {
  it('are counted until they start, leave or have waited too long', () => {
    const { clock, queue } = open(1);
    const [first, second, third] = [taskOf('a', 'e1'), taskOf('a', 'e2'), taskOf('b', 'e3')];
    const sinceMs = clock.nowMs();
    for (const task of [first, second, third]) queue.add(task);
    expect([queue.all(), queue.of('a')]).toEqual([
      { count: 3, oldestSinceMs: sinceMs },
      { count: 2, oldestSinceMs: sinceMs },
    ]);
    expect(queue.next()).toBe(first);
    expect([queue.all().count, queue.of('a').count]).toEqual([2, 1]);
    queue.remove(third);
    queue.remove(third);
    expect(queue.all().count).toBe(1);
    clock.advance(MAX_WAIT_MS);
    expect(queue.all()).toEqual({ count: 0, oldestSinceMs: null });
  });

  it('expire one by one, each when it has waited too long itself', () => {
    const { clock, queue, expired } = open(1);
    const [first, second, other] = [taskOf('a', 'e1'), taskOf('a', 'e2'), taskOf('b', 'e3')];
    queue.add(first);
    clock.advance(4_000);
    queue.add(second);
    queue.add(other);
    clock.advance(MAX_WAIT_MS - 4_000);
    expect(expired).toEqual([first]);
    clock.advance(4_000);
    expect(expired).toEqual([first, second, other]);
  });
});

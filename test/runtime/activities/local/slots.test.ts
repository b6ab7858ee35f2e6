import { describe, expect, it } from 'vitest';
import { Slots } from '../../../../src/runtime/activities/local/slots.ts';

/** Takes as many slots as an execution may have. */
function takeAll(slots: Slots<string>, tenant: string, execution: string): number {
  let taken = 0;
  while (slots.take(tenant, execution)) taken += 1;
  return taken;
}

/** The items that start, in order, as slots are freed one by one. */
function startedInTurn(slots: Slots<string>, count: number, free: () => void): string[] {
  return Array.from({ length: count }, () => {
    free();
    return slots.next() ?? '-';
  });
}

describe('slots', () => {
  it('gives a single tenant its maximum, whatever that is', () => {
    for (const most of [1, 2, 3, 7, 256]) {
      const slots = new Slots<string>(most);
      let taken = 0;
      while (slots.take('acme', `e${taken}`)) taken += 1;
      expect(taken).toBe(most);
    }
  });

  it('leaves a slot for the next tenant, however many tenants take all they may', () => {
    const slots = new Slots<string>(256);
    const shares = Array.from({ length: 200 }, (_, i) => {
      let taken = 0;
      while (slots.take(`t${i}`, `e${taken}`)) taken += 1;
      return taken;
    });
    expect(shares[0]).toBe(256);
    expect(Math.min(...shares)).toBeGreaterThan(0);
    expect(slots.running).toBeLessThanOrEqual(598);
  });

  it('leaves slots of a tenant to its other executions, however wide one fans out', () => {
    const slots = new Slots<string>(256);
    expect(takeAll(slots, 'acme', 'wide')).toBe(224);
    expect(slots.take('acme', 'other')).toBe(true);
  });

  it('starts the work of tenants, and of their executions, in turn', () => {
    const slots = new Slots<string>(4);
    for (let i = 0; i < 4; i += 1) slots.occupy('acme', 'x');
    for (const item of ['a1', 'a2', 'a3']) slots.wait('acme', 'wide', item);
    slots.wait('acme', 'small', 'b1');
    expect(slots.next()).toBeNull();
    expect(startedInTurn(slots, 4, () => slots.free('acme', 'x'))).toEqual(['a1', 'b1', 'a2', 'a3']);

    const shared = new Slots<string>(3);
    for (let i = 0; i < 3; i += 1) shared.occupy('acme', 'x');
    shared.occupy('zeta', 'y');
    for (const item of ['a1', 'a2']) shared.wait('acme', 'x', item);
    for (const item of ['z1', 'z2']) shared.wait('zeta', 'y', item);
    expect(startedInTurn(shared, 3, () => shared.free('acme', 'x'))).toEqual(['a1', 'z1', 'a2']);
  });

  it('starts nothing of an inactive tenant, and continues when it is active again', () => {
    let open = false;
    const slots = new Slots<string>(2, (tenant) => tenant !== 'acme' || open);
    expect(slots.take('acme', 'x')).toBe(false);
    slots.wait('acme', 'x', 'a1');
    slots.wait('zeta', 'y', 'z1');
    expect(slots.next()).toBe('z1');
    expect(slots.next()).toBeNull();
    open = true;
    slots.reopen('acme');
    expect(slots.next()).toBe('a1');
  });

  it('starts no item that was removed', () => {
    const slots = new Slots<string>(1);
    slots.wait('acme', 'x', 'a1');
    slots.wait('acme', 'x', 'a2');
    slots.leave('acme', 'x', 'a1');
    expect(slots.next()).toBe('a2');
    slots.free('acme', 'x');
    expect(slots.next()).toBeNull();
    expect(slots.running).toBe(0);
  });
});

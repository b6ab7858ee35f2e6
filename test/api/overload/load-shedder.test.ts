import { describe, expect, it } from 'vitest';
import { LoadShedder } from '../../../src/api/overload/load-shedder.ts';

const WINDOW_MS = 100;
const MAX_WAIT_MS = 200;

interface Server {
  readonly shedder: LoadShedder;
  readonly changes: unknown[];
  /** How long accepted work has waited. */
  readonly backlog: { ms: number };
  readonly clock: { nowMs: number };
  /** Requests in progress, by their tenants, with the times of their arrival. */
  readonly queue: { readonly tenantId: string; readonly atMs: number }[];
}

function server(): Server {
  const clock = { nowMs: 1_000 };
  const changes: unknown[] = [];
  const onChange = (change: object): void => void changes.push(change);
  const backlog = { ms: 0 };
  const shedder = new LoadShedder({
    maxWaitMs: MAX_WAIT_MS,
    backlogMs: (tenantId) => (tenantId === 'quiet' ? 0 : backlog.ms),
    nowMs: () => clock.nowMs,
    onChange,
  });
  return { clock, backlog, shedder, changes, queue: [] };
}

interface Load {
  readonly ms: number;
  /** Requests of each tenant in a millisecond. */
  readonly offered: Readonly<Record<string, number>>;
  /** Requests answered in a millisecond, first come, first served. */
  readonly capacity: number;
  /** How long a request takes with an empty queue. */
  readonly commitMs?: number;
}

interface Outcome {
  readonly admitted: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  /** Waits of the requests that were answered. */
  readonly waitsMs: readonly number[];
}

/** Plays a server that answers a fixed number of requests in each millisecond. */
function play(it: Server, { ms, offered, capacity, commitMs = 2 }: Load): Outcome {
  const admitted: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const waitsMs: number[] = [];
  const due: Record<string, number> = {};
  let room = 0;
  for (const endMs = it.clock.nowMs + ms; it.clock.nowMs < endMs; it.clock.nowMs += 1) {
    for (const [tenantId, rate] of Object.entries(offered)) {
      for (due[tenantId] = (due[tenantId] ?? 0) + rate; due[tenantId] >= 1; due[tenantId] -= 1) {
        const counts = it.shedder.admit(tenantId) ? admitted : refused;
        counts[tenantId] = (counts[tenantId] ?? 0) + 1;
        if (counts === admitted) it.queue.push({ tenantId, atMs: it.clock.nowMs });
      }
    }
    room = Math.min(room + capacity, 2 * capacity + 1);
    while (room >= 1 && it.queue[0] !== undefined && it.queue[0].atMs + commitMs <= it.clock.nowMs) {
      const { tenantId, atMs } = it.queue.shift() as { tenantId: string; atMs: number };
      waitsMs.push(it.clock.nowMs - atMs);
      it.shedder.release(tenantId, it.clock.nowMs - atMs);
      room -= 1;
    }
  }
  return { admitted, refused, waitsMs };
}

const longest = ({ waitsMs }: Outcome): number => Math.max(...waitsMs);

describe('load shedding', () => {
  it('refuses nothing that a server can answer', () => {
    const it = server();
    expect(play(it, { ms: 5_000, offered: { acme: 2.5 }, capacity: 3 }).refused).toEqual({});
    expect([it.shedder.isShedding, it.changes]).toEqual([false, []]);
  });

  it('keeps the wait short at five times the rate, and lets through nearly what can be answered', () => {
    const it = server();
    play(it, { ms: 1_000, offered: { acme: 2.5 }, capacity: 3 });
    play(it, { ms: 2_000, offered: { acme: 12.5 }, capacity: 3 });
    const steady = play(it, { ms: 10_000, offered: { acme: 12.5 }, capacity: 3 });
    expect(longest(steady)).toBeLessThan(40);
    expect(steady.waitsMs.length).toBeGreaterThan(0.8 * 3 * 10_000);
    expect(it.changes).toEqual([{ isShedding: true, refused: expect.any(Number) }]);
  });

  it('begins within the time of a few windows', () => {
    const it = server();
    play(it, { ms: 1_000, offered: { acme: 2.5 }, capacity: 3 });
    const onset = play(it, { ms: 4 * WINDOW_MS, offered: { acme: 12.5 }, capacity: 3 });
    expect(onset.refused.acme).toBeGreaterThan(0);
    expect(longest(play(it, { ms: 2_000, offered: { acme: 12.5 }, capacity: 3 }))).toBeLessThan(3 * MAX_WAIT_MS);
  });

  it('accepts a burst that is answered in time', () => {
    const it = server();
    play(it, { ms: 1_000, offered: { acme: 2.5 }, capacity: 3 });
    expect(play(it, { ms: 1, offered: { acme: 300 }, capacity: 3 }).refused).toEqual({});
    expect(play(it, { ms: 2_000, offered: { acme: 2 }, capacity: 3 }).refused).toEqual({});
  });

  it('tolerates a slow disk, where every request waits for its commit', () => {
    const it = server();
    expect(play(it, { ms: 5_000, offered: { acme: 0.5 }, capacity: 3, commitMs: 60 }).refused).toEqual({});
    const overloaded = play(it, { ms: 10_000, offered: { acme: 15 }, capacity: 3, commitMs: 60 });
    expect(overloaded.waitsMs.length).toBeGreaterThan(0.7 * 3 * 10_000);
  });

  it('refuses nothing of few clients, however slow the server', () => {
    const it = server();
    for (let client = 0; client < 60; client++) expect(it.shedder.admit('acme')).toBe(true);
    for (let request = 0; request < 500; request++) {
      it.clock.nowMs += 20;
      it.shedder.release('acme', 1_200);
      expect(it.shedder.admit('acme')).toBe(true);
    }
  });

  it('limits nothing any more a second after the load has gone, whether or not requests come', () => {
    for (const offered of [{ acme: 2 }, { acme: 0.01 }]) {
      const it = server();
      play(it, { ms: 3_000, offered: { acme: 12.5 }, capacity: 3 });
      expect(it.shedder.isShedding).toBe(true);
      play(it, { ms: 4_000, offered, capacity: 3 });
      expect(it.shedder.isShedding).toBe(false);
      expect(it.changes.at(-1)).toMatchObject({ isShedding: false, refused: expect.any(Number) });
    }
  });

  it('leaves a tenant with few requests alone while another one floods the server', () => {
    const it = server();
    play(it, { ms: 3_000, offered: { flood: 12.5 }, capacity: 3 });
    const both = play(it, { ms: 5_000, offered: { flood: 12.5, quiet: 0.05 }, capacity: 3 });
    expect(both.refused.quiet ?? 0).toBe(0);
    expect(both.admitted.quiet).toBeGreaterThan(200);
    expect(both.refused.flood).toBeGreaterThan(10_000);
  });

  it('does not count what says nothing of the wait', () => {
    const it = server();
    for (let request = 0; request < 200; request++) it.shedder.admit('acme');
    it.clock.nowMs += 1_000;
    for (let request = 0; request < 100; request++) it.shedder.release('acme', null);
    it.clock.nowMs += 1_000;
    expect(it.shedder.admit('acme')).toBe(true);
  });

  it('admits nothing of a tenant while its accepted work waits too long, and goes on when it does not', () => {
    const it = server();
    play(it, { ms: 1_000, offered: { acme: 1 }, capacity: 3 });
    it.backlog.ms = MAX_WAIT_MS + 1;
    play(it, { ms: 3 * WINDOW_MS, offered: { acme: 1 }, capacity: 3 });
    expect(play(it, { ms: 1_000, offered: { acme: 1 }, capacity: 3 }).admitted).toEqual({});
    expect(play(it, { ms: 1_000, offered: { quiet: 0.5 }, capacity: 3 }).refused).toEqual({});
    it.backlog.ms = 10;
    play(it, { ms: WINDOW_MS, offered: { acme: 1 }, capacity: 3 });
    expect(play(it, { ms: 1_000, offered: { acme: 1 }, capacity: 3 }).refused).toEqual({});
    play(it, { ms: 1_000, offered: { acme: 1 }, capacity: 3 });
    expect(it.shedder.isShedding).toBe(false);
  });

  it('takes a backlog that is seen once for an accident', () => {
    const it = server();
    for (let window = 0; window < 20; window++) {
      it.backlog.ms = window % 2 === 0 ? 10 * MAX_WAIT_MS : 0;
      expect(play(it, { ms: WINDOW_MS, offered: { acme: 1 }, capacity: 3 }).refused).toEqual({});
    }
  });
});

import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../store/store.ts';
import { batch, begin, timer } from '../store/writes.ts';
import { CALLER, eventually, openBench } from '../support/runtimes.ts';

const SECOND = 1_000;

const pausing = {
  workflow_id: 'pausing',
  version: '1',
  nodes: { rest: { kind: { type: 'wait', duration_secs: 60 } } },
  edges: [],
} as never;

/** A runtime that does only what was started there, on a database where so many timers of others are due that nobody serves. */
async function beside(count: number) {
  const bench = await openBench({ adopts: () => false });
  const dueAtMs = bench.clock.nowMs() - 60 * SECOND;
  const others = Array.from({ length: count }, (_, n) => begin(`exec_other_${n}`, { timers: [timer('t', dueAtMs)] }));
  expect(await bench.store.commit(batch(...others))).toEqual(others.map(() => null));
  return bench;
}

function looksAt(store: Store): () => number {
  let looks = 0;
  const due = store.due.bind(store);
  store.due = (...asked) => {
    looks += 1;
    return due(...asked);
  };
  return () => looks;
}

describe('what falls due, and is not served by this runtime', () => {
  it('hides nothing that is, however much it is', async () => {
    const { runtime, run, clock } = await beside(1_200);
    const id = await run(pausing);
    clock.advance(60 * SECOND);
    await eventually(async () => (await runtime.execution(CALLER.tenantId, id)).status === 'completed');
  });

  it('is not looked at again and again', async () => {
    const { runtime, run, clock, store } = await beside(3);
    const id = await run(pausing);
    clock.advance(60 * SECOND);
    await eventually(async () => (await runtime.execution(CALLER.tenantId, id)).status === 'completed');
    const looks = looksAt(store);
    for (let n = 0; n < 30; n += 1) {
      clock.advance(SECOND);
      await setImmediate();
    }
    expect(looks()).toBeLessThan(5);
  });
});

describe('what falls due for an execution that cannot be stepped', () => {
  it('makes nothing else late', async () => {
    const { runtime, run, clock, store, errors } = await openBench();
    const isCompleted = async (id: string) => (await runtime.execution(CALLER.tenantId, id)).status === 'completed';
    const first = await run(pausing);
    clock.advance(30 * SECOND);
    const second = await run(pausing);
    await store.commit(batch(begin('exec_broken', { timers: [timer('t', clock.nowMs())] })));
    clock.advance(30 * SECOND);
    await eventually(() => isCompleted(first));
    await eventually(() => errors.length > 0);
    clock.advance(30 * SECOND);
    await eventually(() => isCompleted(second));
  });

  it.each([
    ['log does not fold', "UPDATE events SET type = 'node_failed' WHERE seq = 3 AND execution_id = ?"],
    ['log is damaged', "UPDATE events SET data = '{' WHERE seq = 2 AND execution_id = ?"],
  ])('because its %s stops no timer', async (_, damage) => {
    const before = await openBench();
    const bad = await before.run(pausing);
    before.clock.advance(SECOND);
    const good = await before.run(pausing);
    await before.close();
    const db = new Database(before.path);
    expect(db.prepare(damage).run(bad).changes).toBe(1);
    // As after an upgrade of the compiler: all is folded again.
    db.exec('UPDATE executions SET snapshot = NULL, snapshot_seq = 0; DELETE FROM checkpoints');
    db.close();
    const { runtime, clock, errors } = await openBench({ path: before.path, clock: before.clock });
    clock.advance(59 * SECOND);
    await eventually(() => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: 'corrupt' });
    clock.advance(SECOND);
    await eventually(async () => (await runtime.execution(CALLER.tenantId, good)).status === 'completed');
  });
});

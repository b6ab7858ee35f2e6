import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../store/log/stored-event.ts';
import type { Store } from '../../../store/port/store.ts';
import { batch, startExecution, timer } from '../../store/writes.ts';
import { editLog } from '../../support/edit-log.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const SECOND = 1_000;

const pausing = {
  workflow_id: 'pausing',
  version: '1',
  nodes: { rest: { kind: { type: 'wait', duration_secs: 60 } } },
  edges: [],
} as never;

/** A runtime that works only on what it started, on a database with many due timers of other executions. */
async function beside(count: number) {
  const bench = await openTestRuntime({ shouldProcess: () => false });
  const dueAtMs = bench.clock.nowMs() - 60 * SECOND;
  const others = Array.from({ length: count }, (_, n) => startExecution(`exec_other_${n}`, { timers: [timer('t', dueAtMs)] }));
  expect(await bench.store.commit(batch(...others))).toEqual(others.map(() => null));
  return bench;
}

/** Advances the clock until the condition holds, since a poll may just have ended. Returns by how much. */
async function passing({ clock }: TestRuntime, condition: () => boolean | Promise<boolean>): Promise<number> {
  const fromMs = clock.nowMs();
  await eventually(() => {
    clock.advance(10);
    return condition();
  });
  return clock.nowMs() - fromMs;
}

function completion(bench: TestRuntime, id: string): Promise<number> {
  return passing(bench, async () => (await bench.runtime.execution(CALLER.tenantId, id)).status === 'completed');
}

function countPolls(store: Store): () => number {
  let polls = 0;
  const due = store.due.bind(store);
  store.due = (...asked) => {
    polls += 1;
    return due(...asked);
  };
  return () => polls;
}

describe('due timers of executions that this runtime does not process', () => {
  it('do not hide others, however many they are', async () => {
    const bench = await beside(1_200);
    const id = await bench.run(pausing);
    bench.clock.advance(60 * SECOND);
    expect(await completion(bench, id)).toBeLessThan(30 * SECOND);
  });

  it('are not polled again and again', async () => {
    const bench = await beside(3);
    const { run, clock, store } = bench;
    const id = await run(pausing);
    clock.advance(60 * SECOND);
    await completion(bench, id);
    const polls = countPolls(store);
    for (let n = 0; n < 30; n += 1) {
      clock.advance(SECOND);
      await setImmediate();
    }
    expect(polls()).toBeLessThan(5);
  });
});

describe('the timeout of a workflow', () => {
  it('ends an execution in which nothing has happened since its start', async () => {
    const waiting = {
      workflow_id: 'waiting',
      version: '1',
      timeouts: { workflow_timeout: 60 },
      nodes: { rest: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } } },
      edges: [],
    } as never;
    const bench = await openTestRuntime();
    const id = await bench.run(waiting);
    bench.clock.advance(58 * SECOND);
    expect((await bench.runtime.execution(CALLER.tenantId, id)).status).not.toBe('cancelled');
    const ended = await passing(bench, async () => (await bench.runtime.execution(CALLER.tenantId, id)).status === 'cancelled');
    expect(ended).toBeLessThan(10 * SECOND);
  });

  it('is not due any more once the execution has ended', async () => {
    const brief = { ...(pausing as object), workflow_id: 'brief', timeouts: { workflow_timeout: 120 } } as never;
    const bench = await openTestRuntime();
    const id = await bench.run(brief);
    bench.clock.advance(60 * SECOND);
    await completion(bench, id);
    expect(await bench.store.nextDueAtMs()).toBeNull();
  });
});

describe('a due timer of an execution that cannot be stepped', () => {
  it('does not delay other timers', async () => {
    const bench = await openTestRuntime();
    const { run, clock, store, errors } = bench;
    const first = await run(pausing);
    clock.advance(30 * SECOND);
    const second = await run(pausing);
    await store.commit(batch(startExecution('exec_broken', { timers: [timer('t', clock.nowMs())] })));
    clock.advance(30 * SECOND);
    await completion(bench, first);
    await passing(bench, () => errors.length > 0);
    clock.advance(20 * SECOND);
    expect(await completion(bench, second)).toBeLessThan(20 * SECOND);
  });

  it.each<[string, (event: StoredEvent) => StoredEvent]>([
    ['log does not replay', (event) => (event.seq === 3 ? { ...event, type: 'node_failed' } : event)],
    ['log is damaged', (event) => (event.seq === 2 ? { ...event, data: '{' } : event)],
  ])('because its %s delays no other timer', async (_, edit) => {
    const before = await openTestRuntime();
    const bad = await before.run(pausing);
    before.clock.advance(SECOND);
    const good = await before.run(pausing);
    await before.close();
    editLog(before.path, bad, edit);
    const db = new Database(before.path);
    // As after an upgrade of the compiler: all executions are replayed.
    db.exec('DELETE FROM checkpoints');
    db.close();
    const bench = await openTestRuntime({ path: before.path, clock: before.clock });
    bench.clock.advance(58 * SECOND);
    await passing(bench, () => bench.errors.length > 0);
    expect(bench.errors[0]).toMatchObject({ code: 'corrupt' });
    expect(await completion(bench, good)).toBeLessThan(30 * SECOND);
  });

  it('delays no other timer for longer than a minute, whatever the reason and however often it is retried', async () => {
    const bench = await openTestRuntime();
    const { runtime, run, clock, store, errors } = bench;
    const bad = await run(pausing);
    clock.advance(SECOND);
    const good = await run(pausing);
    const execution = store.execution.bind(store);
    store.execution = (id) => (id === bad ? Promise.reject(new Error('unknown reason')) : execution(id));
    runtime.forget([bad]);
    clock.advance(59 * SECOND);
    await passing(bench, () => errors.length > 0);
    clock.advance(55 * SECOND);
    expect(await completion(bench, good)).toBeLessThan(30 * SECOND);
    store.execution = execution;
    await completion(bench, bad);
  });
});

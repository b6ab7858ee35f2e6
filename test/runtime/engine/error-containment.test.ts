import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { sealOf } from '../../../store/snapshot-seal.ts';
import { CALLER, eventually, openTestRuntime } from '../../support/runtimes.ts';

const MINUTE = 60_000;

const tool = (ref: string): JsonObject => ({ kind: { type: 'tool', tool_ref: ref } });
const wait = (more: JsonObject): JsonObject => ({ kind: { type: 'wait', ...more } });
const document = (id: string, nodes: JsonObject, edges: readonly (readonly [string, string])[]): JsonObject => ({
  workflow_id: id,
  version: '1',
  start_node: Object.keys(nodes)[0] ?? '',
  nodes,
  edges: edges.map(([from, to]) => ({ from, to })),
});

const early = document(
  'early',
  {
    s: tool('s'),
    p: { kind: { type: 'parallel', branches: ['a', 'e'] } },
    a: tool('missing'),
    e: wait({ condition: 'external_event', correlation_key: 'k' }),
    j: { kind: { type: 'join', wait_for: ['a', 'e'], merge_strategy: 'first' } },
  },
  [
    ['s', 'p'],
    ['a', 'j'],
    ['e', 'j'],
  ],
);
const timed = document('timed', { t: wait({ condition: 'timer', timeout_secs: 60 }), z: wait({ correlation_key: 'never' }) }, [
  ['t', 'z'],
]);
const parent = document('parent', { c: { kind: { type: 'subgraph', workflow_ref: 'timed' }, retry_policy: 'no_retry' } }, []);

/** Changes the stored snapshot of an execution and seals it, as a defective runtime would have stored it. */
function damage(path: string, id: string, change: (snapshot: JsonObject) => JsonObject): void {
  const db = new Database(path);
  const row = db.prepare('SELECT snapshot, seq FROM checkpoints WHERE execution_id = ?').get(id) as {
    snapshot: string;
    seq: number;
  };
  const snapshot = JSON.stringify(change(JSON.parse(row.snapshot)));
  const seal = sealOf(null, id, row.seq, snapshot);
  db.prepare('UPDATE checkpoints SET snapshot = ?, digest = ? WHERE execution_id = ?').run(snapshot, seal, id);
  db.close();
}

describe('an execution whose step starts work and abandons it again', () => {
  it('continues, and so do all others', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const bench = await openTestRuntime({ tools: { s: () => released } });
    const id = await bench.run(early);
    const other = await bench.run(timed);
    await bench.runtime.sendEvent(CALLER, id, { key: 'k', payload: { paid: true } });
    release();
    expect(await bench.settled(id)).toMatchObject({ status: 'completed', state: { paid: true } });
    expect(await bench.timeline(id)).toEqual(expect.arrayContaining(['node_scheduled a', 'node_cancelled a']));
    const items = await bench.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['tool'] });
    expect(items).toEqual([]);
    bench.clock.advance(MINUTE);
    await eventually(async () => (await bench.timeline(other)).includes('timer_fired t'));
    expect([bench.errors, bench.runtime.corruptExecutions]).toEqual([[], 0]);
  });
});

describe('an execution that cannot be stepped', () => {
  /** A snapshot as a defect of the machines would leave it: the next visit to a node throws. */
  const unvisitable = (snapshot: JsonObject): JsonObject => ({ ...snapshot, visits: null });
  const nothingActive = (snapshot: JsonObject): JsonObject => ({ ...snapshot, active: {} });

  it('ends as failed when its timer is due, is reported and counted once, and all other timers fire', async () => {
    const before = await openTestRuntime({ checkpointLogBytes: 0 });
    const bad = await before.run(timed);
    const good = await before.run(timed);
    await before.close();
    damage(before.path, bad, unvisitable);
    const bench = await openTestRuntime({ path: before.path, clock: before.clock });
    bench.clock.advance(MINUTE);
    await eventually(async () => (await bench.timeline(good)).includes('timer_fired t'));
    await eventually(async () => bench.errors.length > 0);
    expect(await bench.settled(bad)).toMatchObject({ status: 'failed', error: expect.stringMatching(/^internal error: /) });
    expect((await bench.timeline(bad)).slice(-2)).toEqual(['node_cancelled t', 'workflow_failed']);
    expect((await bench.log(bad)).at(-1)?.data).toMatchObject({ corrupt: true });
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(bad) })]);
    expect(bench.runtime.corruptExecutions).toBe(1);
    await bench.close();
    const later = await openTestRuntime({ path: before.path, clock: before.clock });
    later.clock.advance(MINUTE);
    expect((await later.runtime.execution('default', bad)).status).toBe('failed');
    expect([later.errors, later.runtime.corruptExecutions]).toEqual([[], 0]);
  });

  it('ends as failed, and the sender of the message gets the error', async () => {
    const before = await openTestRuntime({ checkpointLogBytes: 0 });
    const id = await before.run(timed);
    await before.close();
    damage(before.path, id, nothingActive);
    const bench = await openTestRuntime({ path: before.path, clock: before.clock });
    await expect(bench.runtime.sendEvent(CALLER, id, { key: 'k', payload: {} })).resolves.toMatchObject({ matched: false });
    const error = 'internal error: no work, timer, event or decision is pending that could continue the execution';
    expect(await bench.settled(id)).toMatchObject({ status: 'failed', error });
    expect(await bench.timeline(id)).toEqual([
      'workflow_started',
      'node_started t',
      'timer_created t',
      'external_event_received',
      'workflow_failed',
    ]);
    await expect(bench.runtime.retry(CALLER, id)).rejects.toMatchObject({ message: expect.stringContaining(error) });
  });

  it('ends as failed by a message that it refuses, too', async () => {
    const before = await openTestRuntime({ checkpointLogBytes: 0 });
    const id = await before.run(timed);
    await before.close();
    damage(before.path, id, nothingActive);
    const bench = await openTestRuntime({ path: before.path, clock: before.clock });
    await expect(bench.runtime.resume(CALLER, id)).rejects.toMatchObject({ code: 'corrupt' });
    expect(await bench.settled(id)).toMatchObject({ status: 'failed', error: expect.stringMatching(/^internal error: no work/) });
    expect(bench.runtime.corruptExecutions).toBe(1);
  });

  it('because its snapshot cannot be read is reported and counted once, however often it is asked for', async () => {
    const before = await openTestRuntime({ checkpointLogBytes: 0 });
    const id = await before.run(timed);
    await before.close();
    damage(before.path, id, (snapshot) => ({ ...snapshot, at: ['nowhere'] }));
    const bench = await openTestRuntime({ path: before.path, clock: before.clock });
    for (const _ of [1, 2, 3])
      await expect(bench.runtime.sendEvent(CALLER, id, { key: 'k', payload: {} })).rejects.toMatchObject({ code: 'corrupt' });
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(id) })]);
    expect(bench.runtime.corruptExecutions).toBe(1);
  });

  it('because its first event cannot be read is reported and counted once, although it has a snapshot', async () => {
    const before = await openTestRuntime({ checkpointLogBytes: 0 });
    const id = await before.run(timed);
    await before.close();
    const db = new Database(before.path);
    expect(
      db.prepare("UPDATE log_entries SET body = '?' WHERE position = (SELECT min(position) FROM log_entries)").run().changes,
    ).toBe(1);
    db.close();
    const bench = await openTestRuntime({ path: before.path, clock: before.clock });
    for (const _ of [1, 2, 3])
      await expect(bench.runtime.sendEvent(CALLER, id, { key: 'k', payload: {} })).rejects.toMatchObject({ code: 'corrupt' });
    expect(bench.errors).toEqual([expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(id) })]);
    expect(bench.runtime.corruptExecutions).toBe(1);
  });

  it('counts as a failed child for its parent', async () => {
    const before = await openTestRuntime({ checkpointLogBytes: 0 });
    await before.runtime.register(CALLER, timed);
    const id = await before.run(parent);
    const children = async () =>
      (await before.runtime.executions('default', { limit: 9 })).executions.filter((row) => row.executionId !== id);
    await eventually(async () => (await children()).length === 1);
    const [child] = await children();
    await before.close();
    damage(before.path, child?.executionId ?? '', unvisitable);
    const bench = await openTestRuntime({ path: before.path, clock: before.clock });
    bench.clock.advance(MINUTE);
    await eventually(async () => (await bench.runtime.execution('default', id)).status === 'failed');
    expect((await bench.timeline(id)).slice(-3)).toEqual(['child_workflow_failed c', 'node_failed c', 'workflow_failed']);
  });
});

describe('a subscriber that throws', () => {
  it('is reported, and neither other subscribers nor work are affected', async () => {
    const bench = await openTestRuntime({ tools: { s: () => ({}) } });
    const notified: string[] = [];
    bench.runtime.onCommit(() => {
      throw new Error('subscriber failed');
    });
    bench.runtime.onCommit((note) => notified.push(note?.executionId ?? ''));
    const id = await bench.run(document('one', { s: tool('s') }, []));
    expect(await bench.settled(id)).toMatchObject({ status: 'completed' });
    expect(notified).toContain(id);
    expect(bench.errors).toContainEqual(new Error('subscriber failed'));
  });
});

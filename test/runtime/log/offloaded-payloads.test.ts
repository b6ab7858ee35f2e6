import { hash } from 'node:crypto';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { editLog } from '../../support/edit-log.ts';
import { ir, python, tool } from '../../support/ir.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const BIG = { text: 'é'.repeat(5_000), list: [1, null, { a: true }] };
const BIG_HASH = hash('sha256', JSON.stringify(BIG), 'hex');
const REFERENCE = {
  $artifact: { hash: BIG_HASH, size: Buffer.byteLength(JSON.stringify(BIG)), media_type: 'application/json' },
};

const answering = (output: Json) => openTestRuntime({ tools: { answer: () => output } });

/** The stored data of the node's completion, and the data that readers get. */
async function completion(
  bench: TestRuntime,
  id: string,
  node = 'a',
): Promise<{ stored: JsonObject; shown: JsonObject | undefined }> {
  const { rows } = await bench.store.events(id, { after: 0, limit: 100, type: 'node_completed', nodeId: node });
  const shown = (await bench.log(id)).find((event) => event.type === 'node_completed' && event.nodeId === node);
  return { stored: rows[0]?.data ?? {}, shown: shown?.data };
}

function sql(path: string, statement: string): void {
  const db = new Database(path);
  db.exec(statement);
  db.close();
}

/** Removes all checkpoints, so that the next load replays the log. */
async function withoutCheckpoints(bench: TestRuntime): Promise<TestRuntime> {
  await bench.close();
  sql(bench.path, 'DELETE FROM checkpoints');
  return openTestRuntime({ path: bench.path, clock: bench.clock });
}

describe('an output above the threshold', () => {
  it('is stored also where it is the only one of its commit', async () => {
    const bench = await answering(BIG);
    const rest = { type: 'wait', condition: 'external_event', correlation_key: 'go' };
    const id = await bench.run(ir('w', { a: tool('answer'), rest }, [['a', 'rest']]));
    await eventually(async () => (await bench.runtime.execution('default', id)).status === 'paused');
    expect((await completion(bench, id)).shown).toMatchObject({ output: BIG });
    await bench.runtime.sendEvent(CALLER, id, { key: 'go', payload: {} });
    expect(await bench.settled(id)).toMatchObject({ status: 'completed', state: BIG });
  });

  it.each([
    ['is the patch', tool('answer'), BIG],
    ['goes under a key', tool('answer', { output_key: 'found' }), { found: BIG }],
    ['is a list under its node', tool('answer'), { a: [BIG] }],
  ])('is stored beside the log, and shown in its place, when it %s', async (_how, kind, state) => {
    const output = Array.isArray((state as JsonObject).a) ? [BIG] : BIG;
    const bench = await answering(output as Json);
    const id = await bench.run(ir('w', { a: kind }, [['a', 'end']]));
    expect(await bench.settled(id)).toMatchObject({ status: 'completed', state });
    const { stored, shown } = await completion(bench, id);
    const key = hash('sha256', JSON.stringify(output), 'hex');
    expect(stored).toMatchObject({ output: { $artifact: { hash: key } }, output_spilled: true });
    expect(shown).toMatchObject({ output, state_patch: state });
    expect(shown).not.toHaveProperty('output_spilled');
    const artifact = await bench.store.artifacts.get('default', key);
    expect(Buffer.from(artifact?.content ?? []).toString()).toBe(JSON.stringify(output));
    expect(artifact?.mediaType).toBe('application/json');
    expect(await bench.store.artifacts.get('acme', key)).toBeNull();
    expect(await bench.store.verifyAudit()).toMatchObject({ fault: null });
  });

  it('is restored when the log is replayed', async () => {
    const bench = await answering(BIG);
    const id = await bench.run(ir('w', { a: tool('answer'), b: tool('answer', { output_key: 'b' }) }, [['a', 'b']]));
    const before = await bench.settled(id);
    await bench.close();
    expect(await replayAll(bench.path)).toEqual({ compared: 1, differing: [] });
    const replayed = await withoutCheckpoints(bench);
    expect(await replayed.runtime.execution('default', id)).toEqual(before);
  });

  it('of an external worker is stored beside the log, its patch in it', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run(ir('w', { a: python('f') }, [['a', 'end']]));
    const [item] = await bench.runtime.claim(CALLER, { workerId: 'w1', queueTypes: ['python_tool'] });
    const statePatch = { own: 'x'.repeat(20_000) };
    await bench.runtime.complete(CALLER, item?.id ?? '', { output: BIG, statePatch, leaseFence: item?.leaseFence ?? 0 });
    expect((await bench.settled(id)).state).toEqual(statePatch);
    const { stored, shown } = await completion(bench, id);
    expect(stored).toMatchObject({ output: REFERENCE, output_spilled: true, state_patch: statePatch });
    expect(shown).toMatchObject({ output: BIG, state_patch: statePatch });
    await bench.close();
    expect(await replayAll(bench.path)).toEqual({ compared: 1, differing: [] });
  });

  it('is stored once, and kept while an execution refers to it', async () => {
    const bench = await answering(BIG);
    const document = ir('w', { a: tool('answer') }, [['a', 'end']]);
    const remove = async (): Promise<void> => {
      const context = { ...CALLER, atMs: bench.clock.nowMs(), request: null };
      await bench.store.retention.remove({ after: null, endedBeforeMs: bench.clock.nowMs() }, context);
    };
    const first = await bench.run(document);
    await bench.settled(first);
    bench.clock.advance(1);
    const second = await bench.run(document);
    await bench.settled(second);
    await remove();
    expect(await bench.store.execution(first)).toBeNull();
    expect((await completion(bench, second)).shown).toMatchObject({ output: BIG });
    bench.clock.advance(1);
    await remove();
    expect(await bench.store.artifacts.get('default', BIG_HASH)).toBeNull();
  });

  it('is delivered to subscribers', async () => {
    const bench = await answering(BIG);
    const id = await bench.run(ir('w', { a: tool('answer') }, [['a', 'end']]));
    const outputs: unknown[] = [];
    for await (const event of bench.runtime.subscribe('default', id)) {
      if (event.type === 'node_completed') outputs.push(event.data.output);
    }
    expect(outputs).toEqual([BIG]);
  });
});

describe('an output up to the threshold', () => {
  it('stays in the log, to the last byte', async () => {
    const bench = await openTestRuntime({ tools: { answer: ({ n }: { n: number }) => 'x'.repeat(n - 2) } });
    const document = ir('w', { a: tool('answer', { output_key: 'k' }) }, [['a', 'end']]);
    const stored = async (n: number) => {
      const id = await bench.run(document, { n });
      await bench.settled(id);
      return (await completion(bench, id)).stored;
    };
    expect(await stored(8_192)).not.toHaveProperty('output_spilled');
    expect(await stored(8_193)).toHaveProperty('output_spilled', true);
  });

  it('is every output when the threshold is 0', async () => {
    const bench = await openTestRuntime({ tools: { answer: () => BIG }, artifactThresholdBytes: 0 });
    const id = await bench.run(ir('w', { a: tool('answer') }, [['a', 'end']]));
    await bench.settled(id);
    expect((await completion(bench, id)).stored).toMatchObject({ output: BIG });
  });
});

describe('an output that looks like a reference', () => {
  it('is kept as it is', async () => {
    const bench = await openTestRuntime({ tools: { answer: ({ output }: { output: Json }) => output, big: () => BIG } });
    const document = ir('w', { a: tool('big', { output_key: 'big' }), b: tool('answer', { output_key: 'b' }) }, [['a', 'b']]);
    const id = await bench.run(document, { output: REFERENCE });
    expect((await bench.settled(id)).state).toMatchObject({ b: REFERENCE });
    expect((await completion(bench, id, 'b')).shown).toMatchObject({ output: REFERENCE, state_patch: { b: REFERENCE } });
    expect((await completion(bench, id, 'a')).shown).toMatchObject({ output: BIG });
    const replayed = await withoutCheckpoints(bench);
    expect((await replayed.runtime.execution('default', id)).state).toMatchObject({ b: REFERENCE, big: BIG });
  });

  it('is offloaded like any other when it is large', async () => {
    const output = { ...REFERENCE, output_spilled: true, more: 'x'.repeat(10_000) };
    const bench = await answering(output);
    const id = await bench.run(ir('w', { a: tool('answer') }, [['a', 'end']]));
    await bench.settled(id);
    expect((await completion(bench, id)).shown).toMatchObject({ output });
  });
});

describe('a missing artifact', () => {
  it('is shown as an unresolved reference, and reported', async () => {
    const bench = await answering(BIG);
    const id = await bench.run(ir('w', { a: tool('answer') }, [['a', 'end']]));
    await bench.settled(id);
    sql(bench.path, 'DELETE FROM artifact_refs; DELETE FROM artifacts');
    expect((await completion(bench, id)).shown).toMatchObject({ output: { $artifact: { hash: BIG_HASH, unresolved: true } } });
    // The final state is stored as the same artifact.
    const gone = expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(BIG_HASH) });
    expect(bench.errors).toEqual([gone, gone]);
  });

  it('makes an execution unreplayable', async () => {
    const bench = await answering(BIG);
    const id = await bench.run(ir('w', { a: tool('answer') }, [['a', 'end']]));
    await bench.settled(id);
    sql(bench.path, 'DELETE FROM artifact_refs; DELETE FROM artifacts');
    const replayed = await withoutCheckpoints(bench);
    await expect(replayed.runtime.execution('default', id)).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe('an input above the threshold', () => {
  const mapped = ir('mapped', { a: tool('make'), b: tool('take', { input_mapping: { big: '{{ state }}', n: 1 } }) }, [
    ['a', 'b'],
    ['b', 'end'],
  ]);

  it('is stored beside the log, given to readers in its place, and not needed for a replay', async () => {
    const bench = await openTestRuntime({ tools: { make: () => BIG, take: () => ({ taken: true }) } });
    const id = await bench.run(mapped);
    expect(await bench.settled(id)).toMatchObject({ status: 'completed', state: { taken: true } });
    const input = { big: BIG, n: 1 };
    const { rows } = await bench.store.events(id, { after: 0, limit: 100, type: 'node_started', nodeId: 'b' });
    const stored = rows[0]?.data;
    expect(stored).toMatchObject({
      input: { $artifact: { size: Buffer.byteLength(JSON.stringify(input)) } },
      input_offloaded: true,
    });
    const shown = (await bench.log(id)).find(({ type, nodeId }) => type === 'node_started' && nodeId === 'b')?.data;
    expect(shown).toMatchObject({ input });
    expect(shown).not.toHaveProperty('input_offloaded');
    const fork = await bench.runtime.fork(CALLER, id, { atSequence: 5 });
    expect(await bench.settled(String(fork.executionId))).toMatchObject({ status: 'completed' });
    expect(await bench.store.verifyAudit()).toMatchObject({ fault: null });
    await bench.close();
    expect(await replayAll(bench.path)).toEqual({ compared: 2, differing: [] });
    const replayed = await withoutCheckpoints(bench);
    expect((await replayed.runtime.execution('default', id)).status).toBe('completed');
  });
});

describe.each([
  ['that is large', 'x'.repeat(5_000)],
  ['that is too large for the log', 'x'.repeat(50_000)],
])('a state %s', (_, text) => {
  const reviewed = ir('reviewed', { a: tool('answer'), ask: { type: 'human_approval', description: '?' }, z: tool('change') }, [
    ['a', 'ask'],
    ['ask', 'z'],
  ]);
  const ran = async (): Promise<{ bench: TestRuntime; id: string; shown: readonly JsonObject[] }> => {
    const bench = await openTestRuntime({ tools: { answer: () => ({ text }), change: () => ({ changed: true }) } });
    const id = await bench.run(reviewed);
    await bench.settled(id);
    await bench.runtime.approve(CALLER, id, { decision: 'approved', userId: 'ann' });
    await eventually(async () => (await bench.runtime.execution('default', id)).status === 'completed');
    const { state } = await bench.settled(id);
    return { bench, id, shown: [{ state_for_review: { text } }, { final_state: state }] };
  };
  const events = async (bench: TestRuntime, id: string) =>
    (await bench.log(id))
      .filter(({ type }) => type === 'interrupt_raised' || type === 'workflow_completed')
      .map(({ data }) => data);

  it('is shown by the events that hold it', async () => {
    const { bench, id, shown } = await ran();
    expect(await events(bench, id)).toMatchObject(shown);
    for (const data of await events(bench, id)) expect(data).not.toHaveProperty('state_spilled');
    await bench.close();
    expect(await replayAll(bench.path)).toEqual({ compared: 1, differing: [] });
    const replayed = await withoutCheckpoints(bench);
    expect((await replayed.runtime.execution('default', id)).status).toBe('completed');
    expect(await events(replayed, id)).toMatchObject(shown);
  });

  it('is shown by a fork, also after its origin is removed', async () => {
    const { bench, id, shown } = await ran();
    const raised = (await bench.log(id)).find(({ type }) => type === 'interrupt_raised');
    const fork = await bench.runtime.fork(CALLER, id, { atSequence: raised?.sequence ?? 0 });
    const context = {
      tenantId: 'default',
      actorId: 'tester',
      actorType: 'human',
      onBehalfOf: null,
      request: null,
      atMs: bench.clock.nowMs(),
    } as const;
    const { removed } = await bench.store.retention.remove({ after: null, endedBeforeMs: bench.clock.nowMs() + 1 }, context);
    expect(removed).toEqual([id]);
    expect((await events(bench, fork.executionId ?? '')).at(0)).toMatchObject(shown[0] ?? {});
  });

  it('is replayed for a log without it, as the first releases wrote it', async () => {
    const { bench, id, shown } = await ran();
    await bench.close();
    editLog(bench.path, '%', (event) => {
      if (event.type !== 'interrupt_raised' && event.type !== 'workflow_completed') return event;
      const { state_for_review, final_state, state_spilled, ...data } = JSON.parse(event.data) as JsonObject;
      return { ...event, data: JSON.stringify(data) };
    });
    const old = await openTestRuntime({ path: bench.path, clock: bench.clock });
    expect(await events(old, id)).toMatchObject(shown);
    expect(await old.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });
});

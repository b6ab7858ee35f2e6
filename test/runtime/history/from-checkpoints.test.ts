import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { historyOf, LogReplay } from '../../../machines/replay/index.ts';
import { save } from '../../../machines/step/index.ts';
import { readTail } from '../../../src/runtime/log/read-log.ts';
import { sealOf } from '../../../store/snapshot-seal.ts';
import { someOf } from '../../support/properties.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const tool = (tool_ref: string): JsonObject => ({ kind: { type: 'tool', tool_ref }, retry_policy: 'once' });
/** Two tools side by side, of which one fails; then a loop; then an approval. */
const DOCUMENT: JsonObject = {
  workflow_id: 'eventful',
  version: '1',
  start_node: 'split',
  nodes: {
    split: { kind: { type: 'parallel', branches: ['steady', 'shaky'] } },
    steady: tool('count'),
    shaky: tool('shaky'),
    both: { kind: { type: 'join', wait_for: ['steady', 'shaky'], merge_strategy: 'collect' } },
    again: tool('count'),
    ask: { kind: { type: 'human_approval' } },
    last: tool('shaky'),
  },
  edges: [
    { from: 'steady', to: 'both' },
    { from: 'shaky', to: 'both' },
    { from: 'both', to: 'again' },
    { from: 'again', to: 'again', condition: 'state.n < 5' },
    { from: 'again', to: 'ask' },
    { from: 'ask', to: 'last' },
    { from: 'last', to: 'end' },
  ],
  retry_policies: { once: { max_attempts: 1 } },
};

interface Recorded {
  readonly bench: TestRuntime;
  readonly id: string;
  readonly fork: string;
}

/** An execution that has failed and been retried twice, and a fork of its fork. Neither has a checkpoint. */
async function recorded(): Promise<Recorded> {
  let broken = true;
  const shaky = () => (broken ? Promise.reject(new Error('down')) : {});
  const count = ({ n = 0 }: { readonly n?: number }) => ({ n: n + 1 });
  const bench = await openTestRuntime({ tools: { count, shaky }, checkpointLogBytes: 1_000_000 });
  const { runtime } = bench;
  const retry = async (id: string): Promise<void> => {
    expect((await bench.settled(id)).status).toBe('failed');
    broken = false;
    await runtime.retry(CALLER, id);
  };
  const approve = async (id: string): Promise<void> => {
    await eventually(async () => (await runtime.approvals('default', id)).pending.length > 0);
    broken = true;
    await runtime.approve(CALLER, id, { decision: 'approved' });
    await retry(id);
    expect((await bench.settled(id)).status).toBe('completed');
  };
  const id = await bench.run(DOCUMENT);
  await retry(id);
  await approve(id);
  const forkOf = async (origin: string, type: string): Promise<string> => {
    const at = (await bench.log(origin)).find((event) => event.type === type)?.sequence ?? 0;
    return (await runtime.fork(CALLER, origin, { atSequence: at })).executionId ?? '';
  };
  const first = await forkOf(id, 'interrupt_raised');
  await approve(first);
  const fork = await forkOf(first, 'interrupt_raised');
  await approve(fork);
  return { bench, id, fork };
}

/** Every checkpoint that may be kept: none contains a failure that was reset later. */
async function checkpointsOf({ store }: TestRuntime, id: string): Promise<readonly { seq: number; text: string }[]> {
  const row = await store.execution(id);
  const program = compile(
    normalise(JSON.parse((await store.revision('default', row?.revision ?? '')) ?? '{}')).workflow,
    row?.revision ?? '',
  );
  const { events } = await readTail(store, 'default', id, 0, row?.seq ?? 0);
  const history = historyOf(events);
  const replay = new LogReplay(program, { executionId: id, stepLimit: 0, runtimeId: '' }, history);
  for (const event of events) replay.push(event);
  const saved: { seq: number; text: string }[] = [];
  const resets = events.filter(({ type }) => type === 'workflow_retried');
  for (let run = replay.next(true); run !== null; run = replay.next(true)) {
    const { seq } = run;
    const isReset = resets.some(
      ({ sequence, data }) => seq < sequence && (data.forgiven as number[]).some((failure) => failure <= seq),
    );
    if (!isReset) saved.push({ seq, text: save(run) });
  }
  return saved;
}

async function statesOf({ runtime }: TestRuntime, id: string): Promise<readonly unknown[]> {
  const { sequence } = await runtime.execution('default', id);
  const states: unknown[] = [];
  for (let at = 1; at <= sequence; at += 1) states.push(await runtime.stateAt('default', id, at));
  return states;
}

async function pagesOf({ runtime }: TestRuntime, id: string, size: number): Promise<readonly unknown[]> {
  const { sequence } = await runtime.execution('default', id);
  const pages: unknown[] = [];
  // From the end, so that no page continues an earlier one.
  for (let after = sequence - 1; after >= 0; after -= 1)
    pages.push(await runtime.snapshots('default', id, { after, limit: size }));
  return pages;
}

describe('an execution as it was', () => {
  it.each(['id', 'fork'] as const)('is the same from any checkpoint as from the start of the log (%s)', async (which) => {
    const { bench, ...ids } = await recorded();
    const id = ids[which];
    const checkpoints = await checkpointsOf(bench, id);
    expect(checkpoints.length).toBeGreaterThan(10);
    const wanted = { states: await statesOf(bench, id), pages: await pagesOf(bench, id, 2) };
    const db = new Database(bench.path);
    const put = db.prepare(
      "INSERT INTO checkpoints (execution_id, seq, tenant_id, digest, snapshot) VALUES (?, ?, 'default', ?, ?)",
    );
    const fresh = () => openTestRuntime({ path: bench.path, clock: bench.clock });
    await bench.close();
    for (const { seq, text } of someOf(checkpoints)) {
      db.exec('DELETE FROM checkpoints');
      put.run(id, seq, sealOf(null, id, seq, text), text);
      const one = await fresh();
      expect({ seq, states: await statesOf(one, id) }).toEqual({ seq, states: wanted.states });
      await one.close();
    }
    db.exec('DELETE FROM checkpoints');
    for (const { seq, text } of checkpoints) put.run(id, seq, sealOf(null, id, seq, text), text);
    db.close();
    const all = await fresh();
    expect(await statesOf(all, id)).toEqual(wanted.states);
    expect(await pagesOf(all, id, 2)).toEqual(wanted.pages);
    expect((await all.runtime.replay('default', id)).mismatch).toBeNull();
  });
});

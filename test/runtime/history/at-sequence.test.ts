import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { TERMINAL } from '../../../machines/run.ts';
import { load, save, stateOf } from '../../../machines/step/index.ts';
import { checkWorkflow } from '../../../src/authoring/check.ts';
import { ModuleLoader } from '../../../src/project/module-loader.ts';
import { loadLocalTools } from '../../../src/project/tools.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createRuntime } from '../../../src/runtime/index.ts';
import { readTail } from '../../../src/runtime/log/read-log.ts';
import type { ExecutionView } from '../../../src/runtime/types/executions.ts';
import type { ServerRuntime } from '../../../src/runtime/types/server-runtime.ts';
import type { Store } from '../../../store/port/store.ts';
import { openSqlite } from '../../../store/sqlite/open.ts';
import { replayAll } from '../../support/replay-all.ts';
import { Fork, stepsOf } from '../../support/replay-steps.ts';
import { CALLER, databasePath } from '../../support/runtimes.ts';

interface Example {
  readonly name: string;
  readonly files?: readonly string[];
  /** Its functions are deterministic. */
  readonly repeatable: boolean;
  readonly input?: () => Promise<Json>;
}

const EXAMPLES: readonly Example[] = [
  { name: 'refund-approval', repeatable: true },
  { name: 'order-fulfilment', repeatable: true },
  { name: 'drafting-loop', repeatable: true },
  { name: 'onboarding', files: ['credit-check.yaml', 'workflow.yaml'], repeatable: true },
  { name: 'fastest-quote', repeatable: true },
  {
    name: 'data-pipeline',
    repeatable: false,
    async input() {
      const module: { startService(): Promise<{ readonly url: string; close(): Promise<void> }> } = await import(
        pathToFileURL(resolve('examples/data-pipeline/service.mjs')).href
      );
      const service = await module.startService();
      onTestFinished(() => service.close());
      return { service: service.url, date: '2026-03-07' };
    },
  },
];

/** The stored execution after one of its commits. */
interface Stored {
  readonly seq: number;
  readonly text: string;
}

interface RecordedRun {
  readonly runtime: ServerRuntime;
  readonly store: Store;
  readonly path: string;
  readonly document: JsonObject;
  readonly id: string;
  readonly end: ExecutionView;
  readonly stored: readonly Stored[];
}

/** Runs an example to its end and records what every commit stored. */
async function recordRun({ name, files = ['workflow.yaml'], input }: Example): Promise<RecordedRun> {
  const folder = join('examples', name);
  const authored = files.map((file) => checkWorkflow(readFileSync(join(folder, file), 'utf8'), join(folder, file)));
  const tools = await loadLocalTools(
    Object.assign({}, ...authored.map(({ localTools }) => localTools)),
    folder,
    new ModuleLoader({ cwd: process.cwd(), fresh: false }),
  );
  const path = databasePath();
  const store = await openSqlite({ path, writer: 'test', nowMs: () => systemClock.nowMs() });
  const runtime = await createRuntime({ store, tools, allowPrivateAddresses: true, checkpointLogBytes: 0 });
  onTestFinished(async () => {
    await runtime.close(0);
    await store.close();
  });
  for (const { document } of authored) await runtime.register(CALLER, document);
  const document = authored.at(-1)?.document as JsonObject;
  const given = input === undefined ? JSON.parse(readFileSync(join(folder, 'input.json'), 'utf8')) : await input();
  const reading: Promise<{ readonly id: string; readonly stored: Stored | null }>[] = [];
  const unsubscribe = runtime.onCommit((note) => {
    // The read of SQLite is synchronous, so nothing is committed in between.
    if (note !== null) reading.push(store.checkpoint(note.executionId).then((stored) => ({ id: note.executionId, stored })));
  });
  const { executionId: id } = await runtime.start(CALLER, { workflowId: String(document.workflow_id), input: given });
  const end = await drive(runtime, id);
  unsubscribe();
  const stored = (await Promise.all(reading)).flatMap((read) => (read.id === id && read.stored !== null ? read.stored : []));
  return { runtime, store, path, document, id, end, stored };
}

/** Approves all approvals and sends all awaited events until the execution has ended. */
async function drive(runtime: ServerRuntime, id: string): Promise<ExecutionView> {
  for (let asked = 0; asked < 1_000; asked += 1) {
    const view = await runtime.settled('default', id, 20_000);
    if (TERMINAL.has(view.status)) return view;
    const { pending } = await runtime.approvals('default', id);
    const [approval] = pending;
    if (approval !== undefined) await runtime.approve(CALLER, id, { decision: 'approved', nodeId: approval.nodeId });
    const { active } = await runtime.stateAt('default', id, view.sequence);
    const key = active.find(({ waitsFor }) => waitsFor !== null)?.waitsFor;
    if (typeof key === 'string') await runtime.sendEvent(CALLER, id, { key, payload: { amount: 63 } }).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`${id} does not end`);
}

describe.each(EXAMPLES)('the example $name', (example) => {
  it('is shown at every sequence as a runtime that stopped there would have stored it', async () => {
    const { runtime, document, id, end, stored } = await recordRun(example);
    const program = compile(normalise(document).workflow, end.revision);
    expect(stored.length).toBeGreaterThan(2);
    for (let at = 1; at <= end.sequence; at += 1) {
      const shown = await runtime.stateAt('default', id, at);
      const last = stored.findLast(({ seq }) => seq <= at) ?? stored[0];
      // Several steps may share a commit; a step in the middle of one was never stored on its own.
      expect(shown.sequence).toBeGreaterThanOrEqual(last?.seq ?? 0);
      if (last === undefined || shown.sequence !== last.seq) continue;
      const run = load(program, last.text, { seq: last.seq, input: end.input });
      expect({ at, status: shown.status, state: shown.state }).toEqual({ at, status: run.status, state: stateOf(run) });
    }
    for (const { seq } of stored) expect((await runtime.stateAt('default', id, seq)).sequence).toBe(seq);
  });

  it('ends the same after a fork at any step, given the same messages', async () => {
    const { store, document, id, end } = await recordRun(example);
    const program = compile(normalise(document).workflow, end.revision);
    const { events } = await readTail(store, 'default', id, 0, end.sequence);
    const env = { executionId: id, stepLimit: 10_000, runtimeId: '' };
    const steps = stepsOf(program, events, env);
    const last = steps.at(-1);
    expect(last === undefined ? null : save(last.run)).toBe((await store.checkpoint(id))?.text);
    for (const { run, end: at, later } of steps.slice(0, -1)) {
      const fork = new Fork(program, { ...env, executionId: 'exec_fork' }, { log: events.slice(0, at), run, env });
      for (const message of later) fork.send(message);
      expect({ at, status: fork.run.status, state: stateOf(fork.run) }).toEqual({ at, status: end.status, state: end.state });
    }
  });

  it.runIf(example.repeatable)('ends the same after a fork at any step by itself, and its log replays', async () => {
    const { runtime, store, path, id, end } = await recordRun(example);
    const points = new Set<number>();
    for (let at = 1; at < end.sequence; at += 1) points.add((await runtime.stateAt('default', id, at)).sequence);
    const forks = await Promise.all(
      [...points].map(async (at) => {
        const { executionId } = await runtime.fork(CALLER, id, { atSequence: at });
        return { at, fork: executionId ?? '' };
      }),
    );
    for (const { at, fork } of forks) {
      const { status, state, forkedFrom } = await drive(runtime, fork);
      expect({ at, status, state: withoutIdempotencyKeys(state) }).toEqual({
        at,
        status: end.status,
        state: withoutIdempotencyKeys(end.state),
      });
      expect(forkedFrom).toEqual({ executionId: id, sequence: at });
      expect(await runtime.replay('default', fork)).toMatchObject({ mismatch: null });
    }
    await runtime.close();
    await store.close();
    expect((await replayAll(path)).differing).toEqual([]);
  });
});

/** Idempotency keys contain the execution's id. */
function withoutIdempotencyKeys(state: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(state).replaceAll(/exec_[0-9a-f]{32}/g, 'exec_…')) as JsonObject;
}

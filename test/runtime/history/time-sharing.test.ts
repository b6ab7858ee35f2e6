import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { FakeClock } from '../../support/clock.ts';
import { CALLER, databasePath, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const ROUNDS = 40;

/** A clock that advances with every reading, as if computation took time. */
class SlowMachine extends FakeClock {
  slow = false;
  #computedMs = 0;

  override nowMs(): number {
    if (this.slow) this.#computedMs += 6;
    return super.nowMs() + this.#computedMs;
  }
}

const LOOPING: JsonObject = {
  workflow_id: 'looping',
  version: '1',
  start_node: 'count',
  nodes: {
    count: { kind: { type: 'tool', tool_ref: 'count' } },
    again: {
      kind: { type: 'condition', branches: [{ condition: `state.n < ${ROUNDS}`, target: 'count' }, { target: 'last' }] },
    },
    last: { kind: { type: 'tool', tool_ref: 'never' } },
  },
  edges: [
    { from: 'count', to: 'again' },
    { from: 'last', to: 'end' },
  ],
};

const TOOLS = {
  count: ({ n = 0 }: { readonly n?: number }) => ({ n: n + 1 }),
  never: () => new Promise<never>(() => {}),
};

/** A running execution with a large state, of which only the log is stored. */
async function longTail(bench: TestRuntime): Promise<string> {
  const id = await bench.run(LOOPING, { large: 'x'.repeat(200_000) });
  for (;;) {
    const { state } = await bench.runtime.execution('default', id);
    if (state.n === ROUNDS) return id;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Counts turns of the event loop until the work is done. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  count();
  await work;
  over = true;
  return turns;
}

describe('long computations', () => {
  it('yield to other work every few steps, however many logs are replayed', async () => {
    const clock = new SlowMachine();
    const bench = await openTestRuntime({ clock, tools: TOOLS });
    const id = await longTail(bench);
    const { runtime } = bench;
    const { sequence } = await runtime.execution('default', id);
    clock.slow = true;
    const replays = await turnsOf(Promise.all(Array.from({ length: 4 }, () => runtime.replay('default', id))));
    expect(replays).toBeGreaterThan(4 * 2 * ROUNDS);
    const states = await turnsOf(Promise.all(Array.from({ length: 4 }, () => runtime.stateAt('default', id, sequence))));
    expect(states).toBeGreaterThan(4 * 2 * ROUNDS);
    const page = { after: sequence - 1, limit: 1 };
    const snapshots = await turnsOf(Promise.all(Array.from({ length: 4 }, () => runtime.snapshots('default', id, page))));
    expect(snapshots).toBeGreaterThan(4 * 2 * ROUNDS);
    expect(await turnsOf(bench.log(id))).toBeGreaterThan(2 * ROUNDS);
  });

  it('yield while an execution with a long log is loaded', async () => {
    const path = databasePath();
    const before = await openTestRuntime({ path, tools: TOOLS });
    const id = await longTail(before);
    expect(await before.store.checkpoint(id)).toBeNull();
    await before.close();
    const clock = new SlowMachine();
    const { runtime } = await openTestRuntime({ path, clock, shouldProcess: () => false });
    clock.slow = true;
    // The log is read as one page.
    expect(await turnsOf(runtime.execution('default', id))).toBeGreaterThan(ROUNDS / 2);
  });

  it('yield while a large workflow is registered, refused, or compiled for its first execution', async () => {
    const path = databasePath();
    const clock = new SlowMachine();
    const chain = (size: number): JsonObject => ({
      workflow_id: 'chain',
      version: '1',
      start_node: 'n0',
      nodes: Object.fromEntries(
        Array.from({ length: size }, (_, i) => [`n${i}`, { kind: { type: 'python_fn', module: 'm', function: 'f' } }]),
      ),
      edges: Array.from({ length: size }, (_, i) => ({ from: `n${i}`, to: i + 1 === size ? 'end' : `n${i + 1}` })),
    });
    const before = await openTestRuntime({ path, clock });
    clock.slow = true;
    expect(await turnsOf(before.runtime.register(CALLER, chain(300)))).toBeGreaterThan(600);
    const broken = { ...chain(300), start_node: 'nowhere' };
    const refused = expect(before.runtime.register(CALLER, broken)).rejects.toMatchObject({ code: 'invalid_workflow' });
    expect(await turnsOf(refused)).toBeGreaterThan(100);
    clock.slow = false;
    await before.close();
    const { runtime } = await openTestRuntime({ path, clock });
    clock.slow = true;
    expect(await turnsOf(runtime.start(CALLER, { workflowId: 'chain' }))).toBeGreaterThan(400);
  });

  it('serve a tenant with one replay before the queued replays of another', async () => {
    const clock = new SlowMachine();
    const bench = await openTestRuntime({ clock, tools: TOOLS });
    const id = await longTail(bench);
    const { runtime, store } = bench;
    const context = { tenantId: 'default', atMs: 0, actorId: 'tester', actorType: 'human', request: null } as const;
    const row = { id: 'acme', name: 'Acme', status: 'active', policy: null, limits: '{}', createdAtMs: 0 } as const;
    await store.tenants.create(row, context);
    const acme = { ...CALLER, tenantId: 'acme' };
    await runtime.register(acme, LOOPING);
    const other = await runtime.start(acme, { workflowId: 'looping', input: { n: ROUNDS - 1 } });
    clock.slow = true;
    const order: string[] = [];
    const many = Array.from({ length: 12 }, () => runtime.replay('default', id).then(() => order.push('default')));
    await Promise.all([...many, runtime.replay('acme', other.executionId).then(() => order.push('acme'))]);
    expect(order.indexOf('acme')).toBe(0);
  });

  it('end when the client has gone, and free their slot', async () => {
    const bench = await openTestRuntime({ tools: TOOLS });
    const id = await longTail(bench);
    const { runtime } = bench;
    const clients = Array.from({ length: 36 }, () => new AbortController());
    const replays = clients.map(({ signal }) => runtime.replay('default', id, signal));
    const refused = { code: 'overloaded', retryAfterMs: 1_000, message: 'too many logs are being replayed' };
    await expect(runtime.replay('default', id)).rejects.toMatchObject(refused);
    await expect(runtime.stateAt('default', id, 1)).rejects.toMatchObject(refused);
    await expect(runtime.snapshots('default', id, { after: 0, limit: 1 })).rejects.toMatchObject(refused);
    for (const client of clients) client.abort();
    const ended = await Promise.allSettled(replays);
    expect(new Set(ended.map((end) => (end.status === 'rejected' ? end.reason.code : end.status)))).toEqual(
      new Set(['shutting_down']),
    );
    expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });
});

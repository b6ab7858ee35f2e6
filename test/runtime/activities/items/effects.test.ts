import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import type { EventView } from '../../../../src/runtime/types/executions.ts';
import { FakeClock } from '../../../support/clock.ts';
import { someOf } from '../../../support/properties.ts';
import { Random } from '../../../support/random.ts';
import { replayAll } from '../../../support/replay-all.ts';
import { CALLER, crashCopy, eventually, openTestRuntime, type TestRuntime } from '../../../support/runtimes.ts';

const COUNT = 40;
const LIST = Array.from({ length: COUNT }, (_, item) => item);

function document(kind: JsonObject): JsonObject {
  const work = { type: 'tool', tool_ref: 'effect', input: { item: '{{ item }}' } };
  const m = { type: 'map', items: 'state.list', do: work, output_key: 'done', ...kind };
  const at_once = { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false };
  return {
    workflow_id: 'map',
    version: '1',
    nodes: { m: { kind: m, retry_policy: 'at_once' } },
    edges: [],
    retry_policies: { at_once },
  };
}

/** Counts effects outside of all processes. Each happens before its call fails, is aborted or is killed. */
class World {
  readonly effects = new Map<number, number>();
  readonly #random: Random;
  /** The share of the calls that fail. */
  failing = 0.3;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** The tool as a process has it, which does nothing once it was killed. */
  tool(life: { isOver: boolean }) {
    return async ({ item }: { item: number }): Promise<number> => {
      if (life.isOver) return new Promise(() => {});
      this.effects.set(item, (this.effects.get(item) ?? 0) + 1);
      const isBroken = this.#random.chance(this.failing);
      for (let turns = this.#random.between(0, 5); turns > 0; turns -= 1) await new Promise(setImmediate);
      if (isBroken) throw new Error('broken');
      return item;
    };
  }
}

/** What the log says of each item: no attempt follows a completion, and there were no more effects than attempts have begun. */
function expectNothingTwice(log: readonly EventView[], { effects }: World): void {
  const completed = new Set<number>();
  const begun = new Map<number, number>();
  for (const { type, data } of log) {
    if (typeof data.item !== 'number') continue;
    expect([data.item, completed.has(data.item), type]).toEqual([data.item, false, type]);
    if (type === 'node_completed') completed.add(data.item);
    if (type === 'node_started') begun.set(data.item, (begun.get(data.item) ?? 0) + 1);
  }
  for (const [item, count] of effects) expect([item, count <= (begun.get(item) ?? 0)]).toEqual([item, true]);
}

/** What was in progress when the node failed is cancelled, and nothing else is. */
function expectOthersCancelled(log: readonly EventView[]): void {
  const open = new Set<number>();
  for (const { type, data } of log) {
    if (type === 'map_completed') expect([...open]).toEqual([]);
    if (typeof data.item !== 'number') continue;
    if (type === 'node_scheduled') open.add(data.item);
    const hasEnded =
      type === 'node_completed' || type === 'node_cancelled' || (type === 'node_failed' && data.retryable !== true);
    if (hasEnded) expect([data.item, open.delete(data.item)]).toEqual([data.item, true]);
  }
}

const POLICIES = ['fail', 'collect', { tolerate: 3 }, { tolerate: '10%' }] as const;
const CASES = POLICIES.flatMap((on_item_error) =>
  [1, 4, 16].flatMap((max_concurrency) => [1, 2].map((seed) => ({ on_item_error, max_concurrency, seed }))),
);

describe('items whose completion was logged', () => {
  it.each(someOf(CASES))(
    'never run again, through failures, retries and crashes: $on_item_error, $max_concurrency at a time (seed $seed)',
    async ({ seed, ...kind }) => {
      const world = new World(seed);
      const random = new Random(seed + 1_000);
      const clock = new FakeClock();
      let life = { isOver: false };
      const open = (path?: string): Promise<TestRuntime> => {
        life = { isOver: false };
        return openTestRuntime({ tools: { effect: world.tool(life) }, clock, ...(path === undefined ? {} : { path }) });
      };
      let opened = await open();
      const id = await opened.run(document(kind), { list: LIST });
      for (let rounds = 0; ; rounds += 1) {
        for (let turns = random.between(0, 30); turns > 0; turns -= 1) await new Promise(setImmediate);
        if (random.chance(0.5)) {
          life.isOver = true;
          const copy = crashCopy(opened.path);
          await opened.close();
          opened = await open(copy);
        }
        if (rounds >= 6) world.failing = 0;
        const { status } = await opened.runtime.execution('default', id);
        if (status === 'completed') break;
        if (status === 'failed') await opened.runtime.retry(CALLER, id);
      }
      const log = await opened.log(id);
      expectNothingTwice(log, world);
      expectOthersCancelled(log);
      const { state } = await opened.settled(id);
      const done = state.done as readonly unknown[];
      for (const item of LIST) expect([item, { error: 'broken' }]).toContainEqual(done[item]);
      expect(opened.errors).toEqual([]);
      await opened.close();
      expect(await replayAll(opened.path)).toEqual({ compared: 1, differing: [] });
    },
  );
});

describe('items in progress when the node fails', () => {
  const PYTHON = { do: { type: 'python_fn', module: 'flows', function: 'score' }, on_item_error: 'fail' };

  it('of external workers are cancelled: a result of the same turn counts if it came before the failure', async () => {
    const { run, runtime, settled, log, close, path } = await openTestRuntime();
    const id = await run(document(PYTHON), { list: LIST.slice(0, 5) });
    const claim = () => runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 10 });
    const [a, b, c, d] = await claim();
    const complete = (item: typeof a) =>
      runtime.complete(CALLER, item?.id ?? '', { output: item?.item ?? null, leaseFence: item?.leaseFence ?? 0 });
    const isTaken = (reply: Promise<unknown>) =>
      reply.then(
        () => true,
        (error: Error) => error.message,
      );
    const failure = { error: 'no', retryable: false, leaseFence: b?.leaseFence ?? 0 };
    const replies = [complete(a), runtime.fail(CALLER, b?.id ?? '', failure), complete(c)].map(isTaken);
    expect(await Promise.all(replies)).toEqual([true, true, 'stale or invalid lease fence']);
    expect(await settled(id)).toMatchObject({ status: 'failed', error: 'm: item 1: no' });
    expect(await isTaken(complete(d))).toBe('stale or invalid lease fence');
    const cancelled = (await log(id)).filter(({ type }) => type === 'node_cancelled').map(({ data }) => data.item);
    expect(cancelled).toEqual([2, 3, 4]);
    await runtime.retry(CALLER, id);
    const again = await claim();
    expect(again.map(({ item }) => item)).toEqual([1, 2, 3, 4]);
    for (const item of again) await complete(item);
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { done: [0, 1, 2, 3, 4] } });
    await close();
    expect(await replayAll(path)).toEqual({ compared: 1, differing: [] });
  });

  it('that run as child executions are cancelled with them, and start as others with the retry', async () => {
    let isBroken = true;
    const score = async ({ item }: { item: number }, { signal }: { signal: AbortSignal }) => {
      if (item > 0 && isBroken) await new Promise((_, reject) => signal.addEventListener('abort', reject));
      return item;
    };
    const { run, runtime, settled, log } = await openTestRuntime({ tools: { score } });
    const a = { kind: { type: 'tool', tool_ref: 'score', output_key: 'result' }, retry_policy: 'no_retry' };
    await runtime.register(CALLER, { workflow_id: 'one', version: '1', nodes: { a } });
    const kind = { do: null, workflow: 'one', input: { item: '{{ item }}' }, output: '{{ output.result }}' };
    const id = await run(document(kind), { list: [0, 1, 2] });
    const childrenOf = async (item: number) =>
      (await log(id)).flatMap(({ type, data }) =>
        type === 'child_workflow_started' && data.item === item ? [String(data.child_execution_id)] : [],
      );
    await eventually(async () => (await log(id)).some(({ type }) => type === 'node_completed'));
    const [[one = ''], [two = '']] = [await childrenOf(1), await childrenOf(2)];
    // Another attempt at item 1 follows; the second failure is the last.
    await runtime.cancel(CALLER, one, 'first');
    await eventually(async () => (await childrenOf(1)).length === 2);
    await runtime.cancel(CALLER, (await childrenOf(1))[1] ?? '', 'second');
    expect((await settled(id)).status).toBe('failed');
    expect((await settled(two)).status).toBe('cancelled');
    isBroken = false;
    await runtime.retry(CALLER, id);
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { done: [0, 1, 2] } });
    const counts = [0, 1, 2].map(async (item) => (await childrenOf(item)).length);
    expect(await Promise.all(counts)).toEqual([1, 3, 2]);
  });
});

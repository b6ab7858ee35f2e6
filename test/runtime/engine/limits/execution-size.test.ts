import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { LIMITS } from '../../../../src/runtime/engine/limits/limits.ts';
import type { EventView } from '../../../../src/runtime/types/executions.ts';
import type { ServerRuntime } from '../../../../src/runtime/types/server-runtime.ts';
import type { Tools } from '../../../../src/runtime/types/work.ts';
import { openCluster } from '../../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../../support/postgres.ts';
import { CALLER, databasePath, eventually, openTestRuntime } from '../../../support/runtimes.ts';

const MIB = 1024 * 1024;
const text = (mib: number): string => 'x'.repeat(mib * MIB);
const server = postgresServer();

interface Engine {
  readonly runtime: ServerRuntime;
  log(id: string): Promise<readonly EventView[]>;
}

const ENGINES: Readonly<Record<string, (options: { readonly tools?: Tools; readonly cacheBytes?: number }) => Promise<Engine>>> =
  {
    sqlite: (options) => openTestRuntime(options),
    postgres: (options) => openCluster(postgresDatabase(server)).join(options),
  };

const tool = (more: object = {}) => ({ kind: { type: 'tool', tool_ref: 'grow', ...more } });
const onEvent = (key: string) => ({ kind: { type: 'wait', condition: 'external_event', correlation_key: key } });

/** Four results of 5 MiB in sequence, each stored in the state under its node's name. */
const GROWING = {
  workflow_id: 'growing',
  version: '1',
  nodes: { a: tool(), b: tool(), c: tool(), d: tool() },
  edges: ['ab', 'bc', 'cd'].map(([from, to]) => ({ from, to })),
} as never;

/** A state of 15 MiB, then nodes that wait for an event and for a decision. */
const LARGE = {
  workflow_id: 'large',
  version: '1',
  nodes: { a: tool(), b: tool(), c: tool(), go: onEvent('go'), ask: { kind: { type: 'human_approval' } } },
  edges: [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'go'],
    ['go', 'ask'],
  ].map(([from, to]) => ({ from, to })),
} as never;

async function settledAt(runtime: ServerRuntime, id: string, status: string): Promise<JsonObject> {
  await eventually(async () => (await runtime.execution('default', id)).status === status);
  return (await runtime.execution('default', id)).state;
}

async function begin(runtime: ServerRuntime, document: never, input: JsonObject = {}): Promise<string> {
  const { workflowId } = await runtime.register(CALLER, document);
  return (await runtime.start(CALLER, { workflowId, input })).executionId;
}

describe.each(Object.entries(ENGINES))('the maximum size of an execution, on %s', (_name, open) => {
  it('fails the node whose result would grow the state beyond 16 MiB, without retry', async () => {
    let calls = 0;
    const grow = (): string => {
      calls += 1;
      return text(5);
    };
    const { runtime, log } = await open({ tools: { grow } });
    const id = await begin(runtime, GROWING);
    expect(Object.keys(await settledAt(runtime, id, 'failed'))).toEqual(['a', 'b', 'c']);
    expect(calls).toBe(4);
    expect((await log(id)).filter(({ type }) => type === 'node_failed')).toMatchObject([
      { nodeId: 'd', data: { error_class: 'state_too_large', retryable: false, error: expect.stringContaining('16 MiB') } },
    ]);
  });

  it('refuses an event, a decision and a fork that would exceed it, and logs nothing', async () => {
    const { runtime, log } = await open({ tools: { grow: () => text(5) } });
    const id = await begin(runtime, LARGE);
    await settledAt(runtime, id, 'paused');
    const before = (await log(id)).length;
    const large = { more: text(2) };
    const tooLarge = { code: 'state_too_large' };
    await expect(runtime.sendEvent(CALLER, id, { key: 'go', payload: large })).rejects.toMatchObject(tooLarge);
    expect(await log(id)).toHaveLength(before);
    await expect(runtime.fork(CALLER, id, { atSequence: before, statePatch: large })).rejects.toMatchObject(tooLarge);
    await runtime.sendEvent(CALLER, id, { key: 'go', payload: { small: true } });
    await expect(runtime.approve(CALLER, id, { decision: 'approved', statePatch: large })).rejects.toMatchObject(tooLarge);
    await runtime.approve(CALLER, id, { decision: 'approved', statePatch: { a: null, ...large } });
    expect(await settledAt(runtime, id, 'completed')).toMatchObject({ small: true });
  });

  it('limits the number and the bytes of buffered events', async () => {
    const { runtime, log } = await open({});
    const nodes = { go: onEvent('go'), later: onEvent('later') };
    const id = await begin(runtime, { workflow_id: 'w', version: '1', nodes, edges: [{ from: 'go', to: 'later' }] } as never);
    const send = (payload: string) => runtime.sendEvent(CALLER, id, { key: 'later', payload });
    for (let i = 0; i < 8; i += 1) await send(text(2).slice(10_000));
    await expect(send(text(2))).rejects.toMatchObject({ code: 'state_too_large' });
    const logged = (await log(id)).length;
    await Promise.all(Array.from({ length: LIMITS.bufferedEvents - 8 }, () => send('x')));
    await expect(send('x')).rejects.toMatchObject({ code: 'too_many_events' });
    expect(await log(id)).toHaveLength(logged + LIMITS.bufferedEvents - 8);
    await runtime.sendEvent(CALLER, id, { key: 'go', payload: {} });
    expect(await settledAt(runtime, id, 'completed')).toHaveProperty('later');
  });
});

describe('joins that each repeat what the previous one has collected', () => {
  /** 25 joins, with which a result of 100 KB would grow to terabytes. */
  const doubling = (other: object) => {
    const nodes: Record<string, object> = { p: { kind: { type: 'parallel', branches: ['a', 'b'] } }, a: tool(), b: other };
    const edges = [
      { from: 'p', to: 'a' },
      { from: 'p', to: 'b' },
    ];
    let sources = ['a', 'b'];
    for (let i = 0; i < 25; i += 1) {
      const id = `join${i}`;
      nodes[id] = { kind: { type: 'join', merge_strategy: { type: 'collect' }, wait_for: sources, output_key: id } };
      for (const from of sources) edges.push({ from, to: id });
      sources = [id];
    }
    return { workflow_id: 'doubling', version: '1', nodes, edges } as never;
  };
  const tools = { grow: () => 'x'.repeat(100_000), small: () => 1 };

  it('fail the node whose result they would multiply', async () => {
    const { runtime, log, run } = await openTestRuntime({ tools });
    const id = await run(doubling({ kind: { type: 'tool', tool_ref: 'small' } }));
    await settledAt(runtime, id, 'failed');
    const failed = (await log(id)).filter(({ type }) => type === 'node_failed');
    expect(failed).toMatchObject([{ data: { error_class: 'state_too_large', retryable: false } }]);
  });

  it('end the execution when a timer releases them', async () => {
    const { runtime, clock, run } = await openTestRuntime({ tools });
    const id = await run(doubling({ kind: { type: 'wait', condition: 'timer', timeout_secs: 60 } }));
    await settledAt(runtime, id, 'paused');
    clock.advance(61_000);
    await settledAt(runtime, id, 'failed');
    expect((await runtime.execution('default', id)).error).toContain('larger than 64 MiB');
    expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });
});

describe.each(Object.entries(ENGINES))('an execution that is larger than the cache, on %s', (_name, open) => {
  const cacheBytes = 1;

  it('accepts events, pauses, decisions and a cancel, and can be read', async () => {
    const { runtime, log } = await open({ tools: { grow: () => ({ grown: true }) }, cacheBytes });
    const id = await begin(runtime, LARGE, { name: 'Ada' });
    await settledAt(runtime, id, 'paused');
    await runtime.pause(CALLER, id, 'lunch');
    await runtime.resume(CALLER, id);
    await runtime.sendEvent(CALLER, id, { key: 'go', payload: { gone: true } });
    expect((await runtime.approvals('default', id)).pending).toHaveLength(1);
    const other = await runtime.fork(CALLER, id, { atSequence: (await log(id)).length, statePatch: {} });
    await runtime.approve(CALLER, id, { decision: 'approved' });
    expect(await settledAt(runtime, id, 'completed')).toMatchObject({ name: 'Ada', grown: true, gone: true });
    await runtime.cancel(CALLER, other.executionId ?? '');
    await settledAt(runtime, other.executionId ?? '', 'cancelled');
  });
});

describe('a stored execution that exceeds limits introduced later', () => {
  it('can time out, fail, be cancelled and be read', async () => {
    const path = databasePath();
    const limits = LIMITS as { -readonly [name in keyof typeof LIMITS]: number };
    const before = { ...LIMITS };
    Object.assign(limits, { stateBytes: 1024 * MIB, outputBytes: 1024 * MIB, fedBytes: 1024 * MIB });
    const first = await openTestRuntime({ path, tools: { grow: () => text(7) } });
    const nodes = {
      a: tool(),
      b: tool(),
      c: tool(),
      late: { kind: { type: 'wait', condition: 'either', correlation_key: 'late', timeout_secs: 60 } },
      last: tool(),
    };
    const edges = ['a', 'b', 'c', 'late', 'last'].flatMap((from, i, all) =>
      all[i + 1] === undefined ? [] : [{ from, to: all[i + 1] }],
    );
    const document = { workflow_id: 'old', version: '1', nodes, edges } as never;
    try {
      const ids = await Promise.all([first.run(document), first.run(document), first.run(document)]);
      for (const id of ids) await first.settled(id);
      await first.close();
      Object.assign(limits, before);
      const { runtime, clock, settled, log, errors } = await openTestRuntime({
        path,
        clock: first.clock,
        tools: { grow: () => text(1) },
      });
      const [timed, failing, cancelled] = ids as [string, string, string];
      await runtime.cancel(CALLER, cancelled);
      expect(await settled(cancelled)).toMatchObject({ status: 'cancelled' });
      await runtime.sendEvent(CALLER, failing, { key: 'late', payload: null }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'state_too_large' });
      });
      clock.advance(61_000);
      for (const id of [timed, failing]) await settledAt(runtime, id, 'failed');
      expect((await log(timed)).map(({ type }) => type)).toContain('timer_fired');
      expect(errors).toEqual([]);
    } finally {
      Object.assign(limits, before);
    }
  });
});

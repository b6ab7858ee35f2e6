import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { openCluster, waitUntil } from '../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();
const cluster = () => openCluster(postgresDatabase(server));
const LIST = Array.from({ length: 60 }, (_, item) => item);

function map(work: JsonObject): JsonObject {
  const retries = { max_attempts: 3, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: [] };
  const kind = { type: 'map', items: 'state.list', do: work, max_concurrency: 4, output_key: 'done' };
  return { workflow_id: 'map', version: '1', nodes: { m: { kind, retry: retries } } };
}

describe('a map in a cluster', () => {
  it('goes on where a lost runtime has left it: only items that were in progress run again', async () => {
    const { join, advance: pass } = cluster();
    const calls: string[] = [];
    const toolsOf = (name: string) => ({
      work: async (item: number) => {
        if (name === 'a' && item >= 20) return new Promise(() => {});
        calls.push(`${name}${item}`);
        return item;
      },
    });
    const a = await join({ tools: toolsOf('a') });
    const b = await join({ tools: toolsOf('b') });
    const id = await a.run(map({ type: 'tool', tool_ref: 'work' }), { list: LIST });
    await waitUntil(async () => (await a.log(id)).filter(({ type }) => type === 'node_completed').length === 20);
    a.freeze();
    await pass(40_000);
    expect(await b.settled(id)).toMatchObject({ status: 'completed', state: { done: LIST } });
    expect(calls).toEqual([...LIST.slice(0, 20).map((item) => `a${item}`), ...calls.slice(20)]);
    expect(calls.slice(20).sort()).toEqual(
      LIST.slice(20)
        .map((item) => `b${item}`)
        .sort(),
    );
    const lost = (await b.log(id)).filter(({ type, data }) => type === 'attempt_lost' && data.error === 'runtime lost');
    expect(lost.map(({ data }) => data.item)).toEqual([20, 21, 22, 23]);
  });

  it('has its items claimed through any runtime, each once', async () => {
    const { join } = cluster();
    const a = await join();
    const b = await join();
    const id = await a.run(map({ type: 'python_fn', module: 'flows', function: 'work' }), { list: LIST });
    const done = new Set<number | null>();
    for (let member = a; done.size < LIST.length; member = member === a ? b : a) {
      const items = await member.runtime.claim(CALLER, { workerId: 'w', queueTypes: ['python_tool'], maxItems: 3 });
      for (const { id: work, item, leaseFence } of items) {
        expect(done.has(item)).toBe(false);
        done.add(item);
        await member.runtime.complete(CALLER, work, { output: item, leaseFence });
      }
    }
    expect(await b.settled(id)).toMatchObject({ status: 'completed', state: { done: LIST } });
  });
});

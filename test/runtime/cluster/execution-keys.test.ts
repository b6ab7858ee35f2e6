import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { openCluster } from '../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { CALLER } from '../../support/runtimes.ts';

const server = postgresServer();

const WAITING: JsonObject = {
  workflow_id: 'order',
  version: '1',
  nodes: { hold: { kind: { type: 'wait', correlation_key: 'go' } } },
  edges: [],
};

describe('the key of an execution', () => {
  it('is of one execution when two runtimes start a thousand at once, and each start learns which', async () => {
    const cluster = openCluster(postgresDatabase(server));
    const members = [await cluster.join(), await cluster.join()];
    await members[0]?.runtime.register(CALLER, WAITING);
    const starts = Array.from({ length: 1_000 }, (_, i) => {
      const runtime = members[i % 2]?.runtime;
      if (runtime === undefined) throw new Error('there is no runtime');
      const same = i % 5 > 0;
      const request = { workflowId: 'order', key: same ? 'order-42' : `order-${i % 50}`, ifRunning: 'return' as const };
      return runtime.start(CALLER, request);
    });
    const results = await Promise.all(starts);
    const byKey = new Map<string, Set<string>>();
    for (const [i, { executionId }] of results.entries()) {
      const key = i % 5 > 0 ? 'order-42' : `order-${i % 50}`;
      byKey.set(key, (byKey.get(key) ?? new Set()).add(executionId));
    }
    expect([...byKey.values()].map((ids) => ids.size)).toEqual(Array.from({ length: 11 }, () => 1));
    expect(results.filter(({ alreadyRunning }) => alreadyRunning === undefined)).toHaveLength(11);
    const { executions } = (await members[1]?.runtime.executions('default', { limit: 100 })) ?? { executions: [] };
    expect(executions).toHaveLength(11);
  });

  it('has one execution of events by key from two runtimes at once, which gets every event', async () => {
    const cluster = openCluster(postgresDatabase(server));
    const members = [await cluster.join(), await cluster.join()];
    await members[0]?.runtime.register(CALLER, WAITING);
    const sent = Array.from({ length: 300 }, async (_, n) => {
      const event = { workflowId: 'order', executionKey: 'order-42', key: 'later', payload: { n }, start: {} };
      const receipt = await members[n % 2]?.runtime.sendEventByKey(CALLER, event);
      if (receipt === undefined) throw new Error('there is no runtime');
      return receipt;
    });
    const receipts = await Promise.all(sent);
    expect(new Set(receipts.map(({ executionId }) => executionId)).size).toBe(1);
    expect(receipts.filter(({ started = false }) => started)).toHaveLength(1);
    const numbers = new Set<unknown>();
    for await (const { type, data } of members[1]?.runtime.events('default', receipts[0]?.executionId ?? '', {}) ?? [])
      if (type === 'external_event_received') numbers.add((data.payload as { n: number }).n);
    expect(numbers.size).toBe(300);
  });
});

import { describe, expect, it } from 'vitest';
import { HEARTBEAT_MS } from '../../../src/runtime/heartbeats.ts';
import { openCluster, waitUntil } from '../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';

const server = postgresServer();
/** Each of two members is responsible for some of them. */
const MANY = 16;
const SECONDS = 60;

const resting = {
  workflow_id: 'resting',
  version: '1',
  nodes: { rest: { kind: { type: 'wait', condition: 'timer', timeout_secs: SECONDS } } },
  edges: [],
} as never;
/** Two members; the first falls silent, and is not lost yet. */
async function pair() {
  const cluster = openCluster(postgresDatabase(server));
  const [a, b] = [await cluster.join(), await cluster.join()];
  await cluster.advance(HEARTBEAT_MS);
  const silence = async (): Promise<void> => {
    a.freeze();
    expect(await b.store.activeRuntimes(b.clock.nowMs() - HEARTBEAT_MS)).toContain(a.runtime.id);
  };
  return { ...cluster, a, b, silence };
}

describe('a member that is silent, but not lost yet', () => {
  it('delays the timers that it should fire by two seconds', async () => {
    const { a, b, advance, silence } = await pair();
    const ids = await Promise.all(Array.from({ length: MANY }, () => a.run(resting)));
    await advance(SECONDS * 1_000 - 1_000);
    await silence();
    const completed = async () =>
      (await Promise.all(ids.map((id) => b.runtime.execution('default', id)))).filter(({ status }) => status === 'completed')
        .length;
    b.clock.advance(1_500);
    await waitUntil(async () => (await completed()) > 0);
    expect(await completed()).toBeLessThan(MANY);
    b.clock.advance(2_000);
    await waitUntil(async () => (await completed()) === MANY);
    expect(b.clock.nowMs() - a.clock.nowMs()).toBeLessThan(HEARTBEAT_MS);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { startHealthProbe } from '../support/health-probe.ts';
import { ir, tool } from '../support/ir.ts';
import { sampleOf } from '../support/properties.ts';
import { sharedServer } from '../support/server.ts';
import { run, settled } from './recorded-calls.ts';

const ROUNDS = sampleOf(2_000, 500);
const IDLE_READERS = 8;

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const server = sharedServer({ tools, env: { NODE_OPTIONS: '--max-old-space-size=160' } });
let id = '';
let length = 0;

const looping = ir(
  'looping',
  {
    step: tool('count'),
    again: { type: 'condition', branches: [{ condition: `state.n < ${ROUNDS}`, target: 'step' }, { target: 'ask' }] },
    ask: { type: 'human_approval', description: 'Enough?' },
  },
  [
    ['step', 'again'],
    ['ask', 'end'],
  ],
);

beforeAll(async () => {
  const { client } = server();
  id = await run(client, looping);
  let execution = await client.execution(id);
  while (execution.status === 'running') execution = await client.execution(id, { waitMs: 20_000 });
  expect(execution).toMatchObject({ status: 'paused', steps_executed: 2 * ROUNDS });
  length = execution.sequence;
});

describe('a long log', () => {
  it('is read completely, without gaps', async () => {
    const sequences = (await server().client.events(id)).map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length }, (_, index) => index + 1));
  });

  it('is read in pages', async () => {
    const { client } = server();
    const page = async (after: number, limit?: number) =>
      (await client.events(id, { after, ...(limit === undefined ? {} : { limit }) })).map(({ sequence }) => sequence);
    expect(await page(1_000, 3)).toEqual([1_001, 1_002, 1_003]);
    expect(await page(length - 2)).toEqual([length - 1, length]);
    expect(await page(length)).toEqual([]);
    const [first = 0, ...others] = await page(0, 1_200);
    expect([first, others.length]).toEqual([1, 1_199]);
  });

  it('is read by many slow readers while the server stays responsive', async () => {
    const { url, token, client } = server();
    const probe = startHealthProbe(server());
    const readers = await Promise.all(
      Array.from({ length: IDLE_READERS }, async () => {
        const { body } = await fetch(`${url}/executions/${id}/events`, { headers: { authorization: `Bearer ${token}` } });
        const reader = body?.getReader();
        expect((await reader?.read())?.done).toBe(false);
        return reader;
      }),
    );
    expect(await client.events(id, { after: length - 1 })).toHaveLength(1);
    for (const reader of readers) await reader?.cancel();
    const { longestMs, failures } = await probe.stop();
    expect(failures).toBe(0);
    expect(longestMs).toBeLessThan(1_000);
  });

  it('does not slow down the next step', async () => {
    const { client } = server();
    await client.approve(id, { decision: 'approved' });
    expect(await settled(client, id)).toMatchObject({ status: 'completed', sequence: length + 3 });
  });
});

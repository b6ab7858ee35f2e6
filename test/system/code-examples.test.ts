import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { expectReplays, startServer, temporaryFolder } from '../support/server.ts';
import { eventually, settled, timeline } from './recorded-calls.ts';

const inputOf = (example: string): JsonObject => JSON.parse(readFileSync(`examples/${example}/input.json`, 'utf8'));

it('a durable function and a state machine go on where they were after kill -9', async () => {
  const folder = temporaryFolder();
  const files = ['order-function/order.ts', 'ticket/ticket.ts'].map((file) => resolve('examples', file));
  const before = await startServer({ folder, files });
  const start = async (workflow_id: string): Promise<string> =>
    (await before.client.start({ workflow_id, input: inputOf(workflow_id) })).execution_id;
  const [order, ticket] = [await start('order-function'), await start('ticket')];
  const waits = async (id: string): Promise<boolean> => (await before.client.execution(id)).status === 'paused';
  await eventually(async () => (await waits(order)) && (await waits(ticket)), 'both wait');
  await before.kill();

  const { client, kill } = await startServer({ folder, files });
  await client.sendEvent(order, { key: 'payment-received', payload: { amount: 63 } });
  await client.sendEvent(ticket, { key: 'ANSWER', payload: { text: 'It is on its way' } });
  await client.sendEvent(ticket, { key: 'CLOSE', payload: {} });
  expect(await settled(client, order)).toMatchObject({
    status: 'completed',
    state: { shipment: { tracking: 'T-B-7', paid: 63, key: `${order}:run:1:4` } },
  });
  expect(await settled(client, ticket)).toMatchObject({
    status: 'completed',
    state: { value: 'closed', output: { agent: 'agent for no water' } },
  });
  const steps = async (id: string, type: string): Promise<readonly unknown[]> =>
    (await client.events(id)).filter((event) => event.type === type).map(({ data }) => data.name ?? data.value);
  expect((await steps(order, 'step_completed')).toSorted()).toEqual(['payment-received', 'reserve', 'score', 'ship']);
  expect(await steps(ticket, 'machine_transitioned')).toEqual(['assigning', 'waiting', 'answered', 'closed']);
  expect(await timeline(client, order)).not.toContain('node_failed run');
  await kill();
  await expectReplays(folder);
});

it('a saga gives back what was booked, as a function and as a graph, also after a cancel', async () => {
  const folder = temporaryFolder();
  const files = ['trip/trip.ts', 'trip/workflow.yaml'].map((file) => resolve('examples', file));
  const { client, kill } = await startServer({ folder, files });
  const start = async (workflow_id: string, hotel: string): Promise<string> =>
    (await client.start({ workflow_id, input: { traveller: 'Ada', hotel } })).execution_id;
  expect(await settled(client, await start('trip-function', 'full'))).toMatchObject({
    status: 'completed',
    state: { reason: 'book hotel: there is no room left' },
  });
  expect(await settled(client, await start('trip', 'full'))).toMatchObject({
    status: 'failed',
    state: { given_back: { cancelled: ['flight of Ada'] } },
  });
  const [declined, cancelled] = [await start('trip-function', 'Ritz'), await start('trip', 'Ritz')];
  const waits = async (id: string): Promise<boolean> => (await client.execution(id)).status === 'paused';
  await eventually(async () => (await waits(declined)) && (await waits(cancelled)), 'both wait');
  await client.approve(declined, { decision: 'rejected' });
  expect(await settled(client, declined)).toMatchObject({ status: 'completed' });
  const steps = (await client.events(declined)).filter(({ type }) => type === 'step_completed').map(({ data }) => data.name);
  expect(steps).toEqual(['book flight', 'book hotel', 'approval', 'cancel hotel', 'cancel flight']);
  await client.cancel(cancelled);
  expect(await settled(client, cancelled)).toMatchObject({
    status: 'cancelled',
    state: { given_back: { cancelled: ['room of Ada in Ritz', 'flight of Ada'] } },
  });
  await kill();
  await expectReplays(folder);
});

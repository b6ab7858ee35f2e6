import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Event } from '../../src/api/schemas/events.ts';
import { type JamjetClient, Unreachable } from '../../src/client.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import { Random } from '../support/random.ts';
import { refoldAll } from '../support/refold.ts';
import { launchServer, type Server, startServer, temporaryFolder } from '../support/server.ts';
import { eventually } from './calls.ts';
import { Cashier, Order, orderWorkflow } from './orders.ts';

/** `CRASH_ROUNDS=100 CRASH_SEED=7 npx vitest run --project system test/system/crash.test.ts` for more of it. */
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 10);
const SEED = Number(process.env.CRASH_SEED ?? 1);
const NEW_CUSTOMERS = 4;

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const folder = temporaryFolder();
const log = join(folder, 'calls');
const random = new Random(SEED);
const orders: Order[] = [];
const cashier = new Cashier(new Random(SEED + 1));

/** Everybody who has an open order pursues it; others place new ones, for ever or not at all. The cashier works as long as they do. */
async function business(client: JamjetClient, newOrders: 'for ever' | 'none'): Promise<void> {
  await client.registerWorkflow(orderWorkflow(log));
  const newCustomer = async (): Promise<void> => {
    while (newOrders === 'for ever') {
      const order = new Order(String(orders.length), random.chance(0.3));
      orders.push(order);
      await order.pursue(client);
    }
  };
  const open = orders.filter(({ done }) => !done);
  let closed = false;
  const customers = Promise.all([
    ...open.map((order) => order.pursue(client)),
    ...Array.from({ length: NEW_CUSTOMERS }, newCustomer),
  ]).finally(() => {
    closed = true;
  });
  await Promise.all([customers, cashier.work(client, () => closed)]);
}

/** One life of the server: it dies while it starts, or a moment later in the middle of the business. */
async function doomedRound(): Promise<void> {
  const launch = launchServer({ folder, tools });
  const dies = async (afterMs: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await launch.kill();
  };
  if (random.chance(0.15)) return dies(random.between(0, 500));
  const server = await launch.ready;
  const [outcome] = await Promise.allSettled([business(server.client, 'for ever'), dies(random.between(0, 400))]);
  if (outcome.status === 'rejected' && !(outcome.reason instanceof Unreachable)) throw outcome.reason;
}

/** One more, which is certain to end in the middle of an attempt. */
async function cutShort(): Promise<void> {
  const server = await startServer({ folder, tools });
  await server.client.registerWorkflow(orderWorkflow(log));
  const order = new Order(String(orders.length), false, true);
  orders.push(order);
  const pursued = expect(order.pursue(server.client)).rejects.toBeInstanceOf(Unreachable);
  const hasBegun = () => existsSync(log) && readFileSync(log, 'utf8').includes(`${order.id} reserve 0 `);
  await eventually(hasBegun, 'the first attempt begins');
  await server.kill();
  await pursued;
}

describe(`${ROUNDS} times the server is killed in the middle of the business, and in the end`, () => {
  let server: Server;
  const logs = new Map<string, readonly Event[]>();
  const eventsOf = (order: Order): readonly Event[] => logs.get(order.id ?? '') ?? [];
  const named = (order: Order, type: string): readonly Event[] => eventsOf(order).filter((event) => event.type === type);

  beforeAll(
    async () => {
      for (let round = 1; round < ROUNDS; round += 1) await doomedRound();
      await cutShort();
      server = await startServer({ folder, tools });
      await business(server.client, 'none');
      for (const { id } of orders) if (id !== null) logs.set(id, await server.client.events(id));
      return async () => void (await server.kill());
    },
    300_000 + ROUNDS * 3_000,
  );

  it('every order is one execution, and completed', async () => {
    const { client } = server;
    const listed: string[] = [];
    for (let offset = 0; ; offset += 1_000) {
      const { executions } = await client.executions({ limit: 1_000, offset });
      listed.push(...executions.map(({ id, status, labels }) => `${labels.order} ${id} ${status}`));
      if (executions.length < 1_000) break;
    }
    expect(listed.sort()).toEqual(orders.map(({ key, id }) => `${key} ${id} completed`).sort());
  });

  it('no log has a gap', () => {
    for (const order of orders) {
      expect(eventsOf(order).map(({ sequence }) => sequence)).toEqual(eventsOf(order).map((_, index) => index + 1));
      expect(eventsOf(order).at(-1)?.type).toBe('workflow_completed');
    }
  });

  it('every step has exactly one result', () => {
    for (const order of orders) {
      expect(named(order, 'node_completed').map(({ node_id }) => node_id)).toEqual([
        'reserve',
        'review',
        'charge',
        'paid',
        'ship',
      ]);
    }
  });

  it('every decision and every event counts once', () => {
    for (const order of orders) {
      expect(order.approvals).toBeLessThanOrEqual(1);
      expect(named(order, 'approval_received').map(({ data }) => data.user_id)).toEqual([order.key]);
      expect(named(order, 'external_event_received').map(({ data }) => data.payload)).toEqual([{ amount: 30, payer: order.key }]);
    }
  });

  it('the result of an acknowledged work item is the one that counts', async () => {
    expect(cashier.receipts.size).toBeGreaterThan(0);
    for (const [id, receipt] of cashier.receipts) {
      const charged = logs.get(id)?.find(({ type, node_id }) => type === 'node_completed' && node_id === 'charge');
      expect(charged?.data.output).toBe(receipt);
      expect((await server.client.execution(id)).state).toMatchObject({ receipt });
    }
  });

  it('no attempt was made twice, and the last one gave the result', async () => {
    const calls = readFileSync(log, 'utf8').trim().split('\n');
    expect(new Set(calls).size).toBe(calls.length);
    expect(calls.length, 'some attempts were cut short').toBeGreaterThan(2 * orders.length);
    for (const order of orders) {
      const { state } = await server.client.execution(order.id ?? '');
      for (const node of ['reserve', 'ship']) {
        const attempts = named(order, 'node_started')
          .filter(({ node_id }) => node_id === node)
          .map(({ data }) => data.attempt);
        expect(attempts).toEqual(attempts.map((_, index) => index));
        expect(state[node]).toEqual({ attempt: attempts.length - 1 });
      }
    }
    const keys = new Map(calls.map((call) => call.split(' ')).map(([id, node, , key]) => [`${id} ${node}`, key]));
    for (const call of calls) {
      const [id, node, , key] = call.split(' ');
      expect(key).toBe(keys.get(`${id} ${node}`));
    }
  });

  it('the audit chain holds from the first block to the last', async () => {
    const store = await openSqlite({ path: join(folder, 'runtime.db'), nowMs: Date.now });
    const { blocks, fault } = await store.verifyAudit();
    await store.close();
    expect(fault).toBeNull();
    expect(blocks).toBeGreaterThan(orders.length);
  });

  it('every log folds to the snapshot that is stored', async () => {
    const { compared, differing } = await refoldAll(join(folder, 'runtime.db'));
    expect(differing).toEqual([]);
    expect(compared).toBe(orders.length);
  });
});

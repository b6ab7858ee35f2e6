import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Event } from '../../src/api/schemas/events.ts';
import { ApiError, JamjetClient, Unreachable } from '../../src/client.ts';
import { ir, tool } from '../support/ir.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { Random } from '../support/random.ts';
import { RoundRobin } from '../support/round-robin.ts';
import { type Server, startServer, temporaryFolder } from '../support/server.ts';
import { Cashier, Order, orderWorkflow } from './orders.ts';

/** `FLEET_ORDERS=3000 npx vitest run --project system test/system/fleet.test.ts` for more of it, in ten rounds. */
const ORDERS = Number(process.env.FLEET_ORDERS ?? 300);
const SEED = Number(process.env.FLEET_SEED ?? 1);
const ROUNDS = Math.ceil(ORDERS / 300);
const SERVERS = 3;
/** Enough that customers wait for servers, not for them. */
const CASHIERS = 2 * ROUNDS;
/** Customers in the shop at a time: more of them would only wait for the process that plays them all. */
const AT_ONCE = 150;
/** Long enough that some is under way whenever a server dies. */
const STEP_MS = 600;
/** A server that is not seen for 30 seconds is lost; the others find that out within 40. */
const STOPPED_MS = 42_000;

const tools = new URL('./tools.mjs', import.meta.url).pathname;
const folder = temporaryFolder();
const log = join(folder, 'calls');
const random = new Random(SEED);
const cashiers = Array.from({ length: CASHIERS }, (_, i) => new Cashier(new Random(SEED + 1 + i), `cashier-${i}`, 2_000));
const orders: Order[] = [];
/** Executions that nobody looks after: only time moves them on. */
const reminders = new Map<string, string>();

const REMINDER = ir(
  'reminder',
  {
    soon: { type: 'wait', duration_secs: 1 },
    note: tool('noted', { input_mapping: { log, step: 'note', ms: 5 }, node: { retry_policy: 'patient' } }),
    later: { type: 'wait', duration_secs: 2 },
  },
  [
    ['soon', 'note'],
    ['note', 'later'],
    ['later', 'end'],
  ],
  { retry_policies: { patient: { max_attempts: 1_000, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false } } },
);

/** Repeats what is safe to repeat until a server has answered it. */
async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Unreachable) && !(error instanceof ApiError && error.status === 503)) throw error;
      await after(100);
    }
  }
}

/** Stops it in order; what it printed last is told when it does not end well. */
async function retire(server: Server): Promise<void> {
  const ended = await server.terminate();
  expect(ended, server.output().slice(-5_000)).toEqual({ code: 0, signal: null });
}

/** Three servers on one database, and what happens to them. */
class Fleet {
  readonly balancer: RoundRobin;
  readonly #database: string;
  readonly #postgres: PostgresServer;
  #servers: readonly Server[] = [];

  constructor(balancer: RoundRobin, postgres: PostgresServer, database: string) {
    this.balancer = balancer;
    this.#postgres = postgres;
    this.#database = database;
  }

  get servers(): readonly Server[] {
    return this.#servers;
  }

  /** Through the balancer. */
  client(): JamjetClient {
    return new JamjetClient({ url: this.balancer.url, token: this.#at(0).token });
  }

  async begin(): Promise<void> {
    for (let i = 0; i < SERVERS; i += 1) await this.#launch(i);
  }

  /** A round of everything that may happen, with business going on. */
  async trouble(): Promise<void> {
    const killed = random.between(0, SERVERS - 1);
    const stopped = (killed + 1) % SERVERS;
    const crashed = (killed + 2) % SERVERS;
    await after(3_000);
    await this.#at(killed).kill();
    await this.#launch(killed);
    process.kill(this.#at(stopped).pid, 'SIGSTOP');
    const wakes = after(STOPPED_MS);
    await after(4_000);
    await this.#postgres.restart();
    await after(4_000);
    await this.#at(crashed).kill();
    await after(2_000);
    await this.#launch(crashed);
    await after(4_000);
    await retire(this.#at(killed));
    await this.#launch(killed);
    await wakes;
    process.kill(this.#at(stopped).pid, 'SIGCONT');
    await after(3_000);
  }

  #at(index: number): Server {
    const server = this.#servers[index];
    if (server === undefined) throw new RangeError(`no server ${index}`);
    return server;
  }

  async #launch(index: number): Promise<void> {
    const server = await startServer({ folder, tools, command: 'serve', env: { DATABASE_URL: this.#database } });
    this.#servers = this.#servers.toSpliced(index, 1, server);
    this.balancer.serve(this.#servers.map(({ url }) => url));
  }
}

/** Lets so many through at a time. */
class Door {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  async through<T>(visit: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((admitted) => this.#waiting.push(admitted));
    try {
      return await visit();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/** Customers come evenly until the trouble is over, one in three leaves a reminder; it ends when everybody is served. */
async function business(client: JamjetClient, trouble: Promise<void>, lastsMs: number): Promise<void> {
  await insist(() => client.registerWorkflow(orderWorkflow(log, STEP_MS)));
  await insist(() => client.registerWorkflow(REMINDER));
  const door = new Door(AT_ONCE);
  let closed = false;
  const customer = async (i: number): Promise<void> => {
    await after((i / ORDERS) * lastsMs);
    const order = new Order(String(i), random.chance(0.3));
    orders.push(order);
    await door.through(() => insist(() => order.pursue(client)));
    if (i % 3 > 0) return;
    const key = `remind-${i}`;
    const { execution_id } = await insist(() => client.start({ workflow_id: 'reminder' }, { idempotencyKey: key }));
    reminders.set(key, execution_id);
  };
  const customers = Promise.all([trouble, ...Array.from({ length: ORDERS }, (_, i) => customer(i))]).finally(() => {
    closed = true;
  });
  await Promise.all([customers, ...cashiers.map((cashier) => insist(() => cashier.work(client, () => closed)))]);
  for (const id of reminders.values()) {
    while ((await insist(() => client.execution(id))).status !== 'completed') await after(100);
  }
}

describe(`${SERVERS} servers on one PostgreSQL are killed, stopped, retired and cut off while ${ORDERS} customers order, and in the end`, () => {
  let postgres: PostgresServer;
  let database: string;
  let fleet: Fleet;
  const logs = new Map<string, readonly Event[]>();
  const eventsOf = (order: Order): readonly Event[] => logs.get(order.id ?? '') ?? [];
  const named = (order: Order, type: string): readonly Event[] => eventsOf(order).filter((event) => event.type === type);

  beforeAll(
    async () => {
      postgres = await startPostgres();
      database = await postgres.createDatabase();
      const balancer = await RoundRobin.open();
      fleet = new Fleet(balancer, postgres, database);
      await fleet.begin();
      const client = fleet.client();
      const troubles = async (): Promise<void> => {
        for (let round = 0; round < ROUNDS; round += 1) await fleet.trouble();
      };
      await business(client, troubles(), ROUNDS * STOPPED_MS);
      for (const order of orders) if (order.id !== null) logs.set(order.id, await client.events(order.id));
      for (const id of reminders.values()) logs.set(id, await client.events(id));
      return async () => {
        for (const server of fleet.servers) await server.kill();
        balancer.close();
        postgres.stop();
      };
    },
    400_000 + ROUNDS * 120_000 + ORDERS * 100,
  );

  it('every order is one execution, and completed, whichever server is asked', async () => {
    const expected = orders.map(({ key, id }) => `${key} ${id} completed`).sort();
    for (const { client } of fleet.servers) {
      const listed: string[] = [];
      for (let offset = 0; ; offset += 1_000) {
        const { executions } = await client.executions({ workflow_id: 'order', limit: 1_000, offset });
        listed.push(...executions.map(({ id, status, labels }) => `${labels.order} ${id} ${status}`));
        if (executions.length < 1_000) break;
      }
      expect(listed.sort()).toEqual(expected);
    }
    expect(orders).toHaveLength(ORDERS);
  });

  it('no log has a gap', () => {
    expect(logs.size).toBe(orders.length + reminders.size);
    for (const events of logs.values()) {
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
      expect(events.at(-1)?.type).toBe('workflow_completed');
    }
  });

  it('every step has exactly one result, in its order', () => {
    for (const order of orders)
      expect(named(order, 'node_completed').map(({ node_id }) => node_id)).toEqual([
        'reserve',
        'review',
        'charge',
        'paid',
        'ship',
      ]);
    for (const id of reminders.values()) {
      const completed = logs.get(id)?.filter(({ type }) => type === 'node_completed');
      expect(completed?.map(({ node_id }) => node_id)).toEqual(['soon', 'note', 'later']);
    }
  });

  it('every decision and every event counts once', () => {
    for (const order of orders) {
      expect(order.approvals).toBeLessThanOrEqual(1);
      expect(named(order, 'approval_received').map(({ data }) => data.user_id)).toEqual([order.key]);
      expect(named(order, 'external_event_received').map(({ data }) => data.payload)).toEqual([{ amount: 30, payer: order.key }]);
    }
  });

  it('the result of an acknowledged work item is the one that counts, and no item was completed under two fences', async () => {
    const acknowledged = cashiers.flatMap(({ receipts }) => [...receipts]);
    expect(new Map(acknowledged).size).toBe(acknowledged.length);
    expect(acknowledged.length).toBeGreaterThan(0);
    for (const [id, receipt] of acknowledged) {
      const charged = logs.get(id)?.filter(({ type, node_id }) => type === 'node_completed' && node_id === 'charge');
      expect(charged?.map(({ data }) => data.output)).toEqual([receipt]);
    }
    expect(
      await asSuperuser(
        `SELECT execution_id FROM work_items WHERE status = 'completed' GROUP BY execution_id HAVING count(*) > 1`,
      ),
    ).toEqual([]);
    expect(await asSuperuser(`SELECT id FROM work_items WHERE settled_at_ms IS NULL`)).toEqual([]);
  });

  it('no attempt was made twice, the last one gave the result, and those of lost servers failed as such', async () => {
    const calls = readFileSync(log, 'utf8').trim().split('\n');
    expect(new Set(calls).size).toBe(calls.length);
    let lost = 0;
    for (const order of orders) {
      for (const node of ['reserve', 'ship']) {
        const of = (type: string) => named(order, type).filter(({ node_id }) => node_id === node);
        const attempts = of('node_started').map(({ data }) => data.attempt);
        expect(attempts).toEqual(attempts.map((_, index) => index));
        expect(of('node_completed').map(({ data }) => data.output)).toEqual([{ [node]: { attempt: attempts.length - 1 } }]);
        const errors = of('node_failed').map(({ data }) => data.error);
        expect(errors).toEqual(errors.map(() => 'runtime lost'));
        lost += errors.length;
      }
    }
    expect(lost, 'work was under way when servers died').toBeGreaterThan(0);
  });

  it('every log folds to the snapshot that is stored, and the audit holds from the first block to the last', async () => {
    for (const server of fleet.servers) await retire(server);
    const args = [resolve('bin/jamjet.js'), 'db', 'check', '--all', '--json', '--db', database];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, executions: orders.length + reminders.size, differing: [] });
  });

  async function asSuperuser(query: string): Promise<readonly unknown[]> {
    const url = new URL(database);
    url.username = 'postgres';
    const client = new Client({ connectionString: url.href });
    await client.connect();
    const { rows } = await client.query(query);
    await client.end();
    return rows;
  }
});

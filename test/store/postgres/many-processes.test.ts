import { Client } from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { Store } from '../../../store/port/store.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, claim, context, request, startExecution, startWithWork, step, timer, unit, workItem } from '../writes.ts';

const server = postgresServer();

interface Processes {
  /** Stores of several processes, each under its own writer name by default. */
  readonly stores: readonly Store[];
  readonly first: Store;
  readonly client: Client;
  count(from: string): Promise<number>;
  /** How often transactions have waited for each other. */
  deadlocks(): Promise<number>;
}

async function processes(count: number, writer = (n: number) => `rt_${n}`): Promise<Processes> {
  const database = postgresDatabase(server);
  const stores = await Promise.all(Array.from({ length: count }, (_, n) => database.open({ writer: writer(n) })));
  const [first] = stores;
  if (first === undefined) throw new Error('no process');
  const client = new Client({ connectionString: await database.url() });
  await client.connect();
  onTestFinished(() => client.end());
  return {
    stores,
    first,
    client,
    async count(from) {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${from}`);
      return Number(rows[0]?.count);
    },
    async deadlocks() {
      const { rows } = await client.query<{ deadlocks: string }>(
        'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
      );
      return Number(rows[0]?.deadlocks);
    },
  };
}

/** Advances the execution that many times, reading its sequence before each attempt. Returns how many attempts were rejected. */
async function advance(store: Store, id: string, times: number): Promise<number> {
  let rejected = 0;
  for (let advanced = 0; advanced < times; ) {
    const { seq = 0 } = (await store.execution(id)) ?? {};
    const usage = { month: '2026-01', tokens: 1, costUsd: 0.5 };
    const [rejection] = await store.commit(batch(step(id, seq, { usage, send: [{ toExecutionId: 'exec_9', message: '{}' }] })));
    if (rejection === null) advanced += 1;
    else {
      expect(rejection).toEqual({ reason: 'sequence', executionId: id });
      rejected += 1;
    }
  }
  return rejected;
}

describe.each([
  ['with chains of their own', (n: number) => `rt_${n}`],
  ['that share a name and its chain', () => 'admin'],
] as const)('writers %s', (_, writer) => {
  it('step the same executions concurrently without losing anything', async () => {
    const { stores, first, count } = await processes(4, writer);
    const ids = ['exec_1', 'exec_2', 'exec_3'];
    await first.commit(batch(...ids.map((id) => startExecution(id))));
    const rejected = await Promise.all(stores.flatMap((store) => ids.map((id) => advance(store, id, 8))));
    expect(rejected.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(0);
    const moves = stores.length * 8;
    for (const id of ids) {
      const { rows } = await first.events(id, { after: 0, limit: 1_000 });
      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 2 + 2 * moves }, (_, index) => index + 1));
    }
    expect(await count('inbox')).toBe(moves * ids.length);
    expect(await first.tenants.usage('default', '2026-01')).toEqual({
      tokens: moves * ids.length,
      costUsd: (moves * ids.length) / 2,
    });
    expect((await first.verifyAudit()).fault).toBeNull();
  });
});

describe('processes that commit the same keys and threads, each in another order', () => {
  const ROUNDS = 15;
  const KEYS = Array.from({ length: 12 }, (_, n) => `order-${n}`);

  /** Takes all keys that it gets and frees them, again and again. Returns how many it has got. */
  async function hammer(store: Store, name: string, keys: readonly string[]): Promise<number> {
    let got = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const starts = keys.map((key) =>
        startExecution(`exec_${name}_${round}_${key}`, {
          keys: [{ op: 'take', workflowId: 'refund', key }],
          threads: [{ id: `${round}-${key}`, read: null, nodeId: 'talk', activation: 1, messages: ['{}'] }],
        }),
      );
      // A refused unit, after which the others are committed one by one.
      const refused = round % 2 === 0 ? [startExecution('exec_known')] : [];
      const outcomes = await store.commit(batch(...starts, ...refused));
      expect(outcomes.slice(keys.length)).toEqual(refused.map(({ id }) => ({ reason: 'sequence', executionId: id })));
      const winners = starts.filter((_, n) => outcomes[n] === null);
      got += winners.length;
      const ends = winners.map(({ id, keys: [key] = [] }) =>
        step(id, 2, { keys: key === undefined ? [] : [{ op: 'free', workflowId: key.workflowId, key: key.key }] }),
      );
      expect(await store.commit(batch(...ends.reverse()))).toEqual(ends.map(() => null));
    }
    return got;
  }

  it('never wait for each other, and lose nothing', async () => {
    const { stores, first, count, deadlocks } = await processes(2);
    await first.commit(batch(startExecution('exec_known')));
    const before = await deadlocks();
    const got = await Promise.all(
      stores.flatMap((store, n) => [
        hammer(store, `${n}a`, n === 0 ? KEYS : KEYS.toReversed()),
        hammer(store, `${n}b`, [...KEYS.slice(5 + n), ...KEYS.slice(0, 5 + n)]),
      ]),
    );
    expect(await deadlocks()).toBe(before);
    expect(await count('execution_keys')).toBe(0);
    const all = got.reduce((sum, each) => sum + each, 0);
    expect(await count('executions')).toBe(1 + all);
    for (const rows of ['threads', 'thread_messages']) expect(await count(rows)).toBe(all);
    expect((await first.verifyAudit()).fault).toBeNull();
  });
});

describe('a program that locks the same executions in another order', () => {
  it('makes a batch that is committed unit by unit wait, and does not fail it', async () => {
    const { first, count, client } = await processes(1);
    await first.commit(batch(startExecution('exec_1'), startExecution('exec_2')));
    await client.query('BEGIN');
    const lock = (id: string) => client.query('SELECT 1 FROM executions WHERE id = $1 FOR UPDATE', [id]);
    await lock('exec_2');
    const committing = first.commit(batch(step('exec_1', 2), step('exec_1', 4), step('exec_2', 2)));
    while ((await count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")) === 0);
    // The database ends one of the two transactions.
    await lock('exec_1').catch(() => {});
    await client.query('ROLLBACK');
    expect(await committing).toEqual([null, null, null]);
  });
});

describe('exclusive resources', () => {
  it('include a work item among concurrent claims', async () => {
    const { stores, first } = await processes(4);
    const items = Array.from({ length: 120 }, (_, n) => workItem(`w${n}`, { queue: n % 2 === 0 ? 'tool' : 'model' }));
    await first.commit(batch(startWithWork('exec_1', ...items)));
    const claimed = await Promise.all(
      stores.map(async (store, n) => {
        const mine: string[] = [];
        for (;;) {
          const some = await store.claimWork(claim({ workerId: `worker-${n}`, queues: ['tool', 'model'], limit: 3 }));
          if (some.length === 0) return mine;
          expect(some.map(({ fence }) => fence)).toEqual(some.map(() => 1));
          mine.push(...some.map(({ id }) => id));
        }
      }),
    );
    expect(claimed.flat().sort()).toEqual(items.map(({ id }) => id).sort());
  });

  it('include a due timer that all processes see', async () => {
    const { stores, first } = await processes(4);
    const ids = Array.from({ length: 20 }, (_, n) => `exec_${n}`);
    await first.commit(batch(...ids.map((id) => startExecution(id, { timers: [timer('t', AT_MS)] }))));
    const fired = await Promise.all(
      stores.map(async (store) => {
        const due = await store.due(AT_MS, 100);
        const writes = due.flatMap((each) =>
          each.kind === 'timer'
            ? [step(each.executionId, 2, { timers: [{ op: 'fire', id: each.timerId, armedSeq: each.armedSeq }] })]
            : [],
        );
        const answers = await store.commit(batch(...writes));
        return answers.filter((rejection) => rejection === null).length;
      }),
    );
    expect(fired.reduce((sum, each) => sum + each, 0)).toBe(ids.length);
    expect(await first.due(AT_MS, 100)).toEqual([]);
  });

  it('include an idempotency key, a name, and the next version', async () => {
    const { stores, first, count } = await processes(4);
    const keyed = stores.map((store, n) =>
      store.commit({ atMs: AT_MS, units: [unit([startExecution(`exec_${n}`)], request('key'))] }),
    );
    const rejections = (await Promise.all(keyed)).flat();
    expect(rejections.filter((rejection) => rejection === null)).toHaveLength(1);
    expect(rejections.filter((rejection) => rejection?.reason === 'idempotency')).toHaveLength(3);

    const tenant = { id: 'acme', name: 'Acme', status: 'active', policy: null, limits: null, createdAtMs: AT_MS } as const;
    const made = await Promise.allSettled(stores.map((store) => store.tenants.create(tenant, context())));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);

    const at = { statusSinceMs: AT_MS, registeredAtMs: AT_MS, updatedAtMs: AT_MS };
    const put = (store: Store, version: number) => {
      const agent = { id: 'a', uuid: 'u', name: 'A', status: 'active', card: '{}', version, ...at } as const;
      return store.agents.put({ agent, traits: ['skill:x'], event: { type: 'agent_updated', data: '{}' } }, context());
    };
    expect((await Promise.all(stores.map((store) => put(store, 1)))).filter(Boolean)).toHaveLength(1);
    expect((await Promise.all(stores.map((store) => put(store, 2)))).filter(Boolean)).toHaveLength(1);
    expect(await count('control_events')).toBe(3);
    expect(await count('control_events WHERE seq > 3')).toBe(0);
    expect((await first.verifyAudit()).fault).toBeNull();
  });
});

describe('an artifact', () => {
  it('stays while anything refers to it, during concurrent offloads and removals', async () => {
    const { stores, first, count } = await processes(3);
    const content = Buffer.from('bytes');
    const artifact: Artifact = { hash: 'h', mediaType: null, size: 5, createdAtMs: AT_MS, content };
    const done = { status: 'completed', completedAtMs: AT_MS };
    let offloading = stores.length - 1;
    const offload = async (store: Store, n: number): Promise<void> => {
      for (let round = 0; round < 25; round += 1)
        expect(
          await store.commit(batch(startExecution(`exec_${n}_${round}`, { progress: done, offloaded: [artifact] }))),
        ).toEqual([null]);
      offloading -= 1;
    };
    let removed = 0;
    const remove = async (): Promise<void> => {
      // In the last round there is something at the latest.
      while (offloading > 0 || removed === 0) {
        const removal = await first.retention.remove({ after: null, endedBeforeMs: AT_MS + 1 }, context());
        removed += removal.removed.length;
      }
    };
    await Promise.all([...stores.slice(1).map(offload), remove()]);
    expect(removed).toBeGreaterThan(0);
    expect(await count('artifact_refs r WHERE NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.hash = r.hash)')).toBe(0);
    expect(await first.artifacts.get('default', 'h')).toEqual((await count('executions')) === 0 ? null : artifact);
    expect((await first.verifyAudit()).fault).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { TenantStorage } from '../../../store/port/resources/storage.ts';
import type { Store } from '../../../store/port/store.ts';
import { Random } from '../../support/random.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, AT_ONCE, batch, type Change, checkpoint, context, event, startExecution, step, workItem } from '../writes.ts';

const LIMITS = '{"max_storage_bytes":1000000}';
const THREAD_LIMITS = { messages: 1_000, bytes: 10_000_000 };
const MEMORY_LIMITS = { namespaces: 100, itemsPerNamespace: 1_000, bytes: 10_000_000 };

/** Of tenant default. */
async function setLimits(store: Store, limits: string | null): Promise<void> {
  await store.tenants.update('default', { limits }, context({ tenantId: 'operators' }));
}

/** Does what the server does when tenants have changed. */
async function countAll(store: Store): Promise<void> {
  for (const tenantId of await store.storage.follow()) await store.storage.count(tenantId, () => true);
}

async function limited(database: () => TestDatabase): Promise<Store> {
  const store = await database().open();
  await setLimits(store, LIMITS);
  await countAll(store);
  return store;
}

/** Forgets what was counted, and counts everything there is. */
async function countedAnew(store: Store): Promise<TenantStorage | null> {
  await setLimits(store, null);
  await countAll(store);
  expect(await store.storage.of('default')).toBeNull();
  await setLimits(store, LIMITS);
  await countAll(store);
  return store.storage.of('default');
}

function artifact(hash: string, size: number): Artifact {
  return { hash, mediaType: null, size, createdAtMs: AT_MS, content: Buffer.alloc(size, 7) };
}

function memoryItem(id: string, text: string, expiresAtMs: number | null = null) {
  return { namespace: 'docs', items: [{ id, text, metadata: '{}', expiresAtMs }], limits: MEMORY_LIMITS, origin: {} };
}

/** Executions, memory, artifacts … of two tenants, written and removed at random. */
class RandomWrites {
  readonly #store: Store;
  readonly #random: Random;
  readonly #running = new Map<string, { readonly seq: number; readonly work: string | null }>();
  readonly #toErase = new Map<string, number>();
  #count = 0;

  constructor(store: Store, seed: number) {
    this.#store = store;
    this.#random = new Random(seed);
  }

  static async of(store: Store, seed: number): Promise<RandomWrites> {
    await store.webhooks.create(
      {
        id: `hook${seed}`,
        tenantId: 'default',
        url: 'https://example.com',
        events: ['*'],
        workflowId: null,
        description: null,
        enabled: true,
        secret: 'whsec_c2VjcmV0',
      },
      100,
      context(),
    );
    return new RandomWrites(store, seed);
  }

  async run(count: number): Promise<void> {
    const writes = [
      () => this.#start(),
      () => this.#start(),
      () => this.#step(),
      () => this.#step(),
      () => this.#end(),
      () => this.#rejected(),
      () => this.#erase(),
      () => this.#retention(),
      () => this.#memory(),
      () => this.#threads(),
      () => this.#artifact(),
      () => this.#deliveries(),
      () => this.#definitions(),
    ];
    for (let i = 0; i < count; i += 1) await this.#random.pick(writes)();
  }

  #text(most = 3_000): string {
    return this.#random.pick(['x', 'é', '日']).repeat(this.#random.between(1, most));
  }

  #tenantId(): string {
    return this.#random.chance(0.8) ? 'default' : 'acme';
  }

  #artifact(): Promise<unknown> {
    const size = this.#random.between(1, 20);
    return this.#store.artifacts.put(artifact(`a${size}`, size), context({ tenantId: this.#tenantId() }));
  }

  #offloaded(): readonly Artifact[] {
    return Array.from({ length: this.#random.between(0, 2) }, () => {
      const size = this.#random.between(1, 20);
      return artifact(`a${size}`, size);
    });
  }

  #event(seq: number) {
    const request = this.#random.chance(0.5) ? JSON.stringify({ id: this.#text(50) }) : null;
    return event(seq, { data: { activation: 1, output: this.#text() }, request });
  }

  async #start(): Promise<void> {
    this.#count += 1;
    const id = `exec_${String(this.#count).padStart(6, '0')}`;
    const work = this.#random.chance(0.4) ? `work ${id}` : null;
    const payload = JSON.stringify({ input: this.#text() });
    const isRedacted = this.#random.chance(0.4);
    await this.#store.commit(
      batch(
        startExecution(id, {
          tenantId: this.#random.chance(0.8) ? 'default' : 'acme',
          events: [this.#event(1), this.#event(2)],
          checkpoint: this.#random.chance(0.5) ? checkpoint(JSON.stringify(this.#text())) : null,
          offloaded: this.#offloaded(),
          work: work === null ? [] : [{ op: 'put', item: workItem(work, { payload }) }],
          ...(isRedacted ? { redaction: { originals: [{ seq: 1, salt: 's', data: this.#text() }], ended: null } } : {}),
        }),
      ),
    );
    const row = await this.#store.execution(id);
    if (row?.tenantId === 'default') this.#running.set(id, { seq: 2, work });
  }

  #next(change: (id: string, seq: number) => Change): ExecutionWrite | null {
    const [id] = [...this.#running.keys()].filter(() => this.#random.chance(0.3));
    const running = id === undefined ? undefined : this.#running.get(id);
    if (id === undefined || running === undefined) return null;
    const { seq, work } = running;
    this.#running.set(id, { seq: seq + 2, work: null });
    const settled = work === null ? [] : [{ op: 'settle', id: work, fence: null, status: 'completed' } as const];
    return step(id, seq, {
      events: [this.#event(seq + 1), this.#event(seq + 2)],
      checkpoint: this.#random.chance(0.3) ? checkpoint(JSON.stringify(this.#text())) : null,
      offloaded: this.#offloaded(),
      work: settled,
      ...change(id, seq),
    });
  }

  async #step(): Promise<void> {
    const write = this.#next(() => ({}));
    if (write !== null) expect(await this.#store.commit(batch(write))).toEqual([null]);
  }

  /** The others of the batch are committed one by one. */
  async #rejected(): Promise<void> {
    const write = this.#next(() => ({}));
    if (write === null) return;
    const late = step('exec_000001', 99, { events: [this.#event(100), this.#event(101)], offloaded: this.#offloaded() });
    expect((await this.#store.commit(batch(late, write))).map((rejection) => rejection?.reason ?? null)).toEqual([
      'sequence',
      null,
    ]);
  }

  async #end(): Promise<void> {
    const write = this.#next((id, seq) => {
      this.#toErase.set(id, seq + 2);
      const ended = { atMs: AT_MS, removeAtMs: null };
      return {
        redaction: { originals: [{ seq: seq + 1, salt: 's', data: this.#text() }], ended },
        progress: { status: 'completed', completedAtMs: AT_MS + this.#count },
      };
    });
    if (write === null) return;
    this.#running.delete(write.id);
    expect(await this.#store.commit(batch(write))).toEqual([null]);
  }

  async #erase(): Promise<void> {
    for (const [executionId, seq] of [...this.#toErase].slice(0, 2)) {
      this.#toErase.delete(executionId);
      const erasure = { executionId, tenantId: 'default', seq, snapshot: JSON.stringify(this.#text(100)), atMs: AT_MS };
      expect(await this.#store.erasures.erase([erasure])).toEqual(['done']);
    }
  }

  async #retention(): Promise<void> {
    if (this.#random.chance(0.6)) return;
    const request = { after: null, endedBeforeMs: AT_MS + this.#random.between(0, this.#count) };
    const { removed } = await this.#store.retention.remove(request, context());
    for (const id of removed) this.#toErase.delete(id);
  }

  async #memory(): Promise<void> {
    const { memory } = this.#store;
    const id = `m${this.#random.between(1, 8)}`;
    const write = memoryItem(id, this.#text(), this.#random.chance(0.3) ? AT_MS - 1 : null);
    await memory.put(write, context({ tenantId: this.#tenantId() }), AT_ONCE);
    if (this.#random.chance(0.3)) await memory.removeExpired(AT_MS, context());
    if (this.#random.chance(0.3)) await memory.remove({ namespace: 'docs', id, origin: {} }, context());
    if (this.#random.chance(0.1)) await memory.remove({ namespace: 'docs', id: null, origin: {} }, context());
  }

  async #threads(): Promise<void> {
    const { threads } = this.#store;
    const id = `t${this.#random.between(1, 4)}`;
    const of = context({ tenantId: this.#tenantId() });
    const messages = [JSON.stringify({ role: 'user', content: this.#text() })];
    await threads.append({ id, messages, limits: THREAD_LIMITS, origin: {} }, of);
    const thread = await threads.get(of.tenantId, id);
    if (thread !== null && this.#random.chance(0.3)) {
      const { number, summarised: summarisedBefore, last: summarised } = thread;
      await threads.summarise(of.tenantId, { id, number, summary: this.#text(), summarised, summarisedBefore });
    }
    if (this.#random.chance(0.3)) await threads.remove(id, of);
  }

  async #deliveries(): Promise<void> {
    const { webhooks, log } = this.#store;
    const [webhook] = await webhooks.list('default');
    if (webhook === undefined) return;
    this.#count += 1;
    const delivery = {
      id: `d${this.#count}`,
      webhookId: webhook.id,
      executionId: `exec_d${this.#count}`,
      seq: 1,
      type: 'node_completed',
    };
    await webhooks.enqueue({
      from: (await webhooks.cursor()) ?? '',
      to: await log.end(),
      deliveries: [delivery],
      nowMs: AT_MS,
    });
    await webhooks.recordAttempts([
      {
        webhookId: webhook.id,
        deliveryId: delivery.id,
        executionId: delivery.executionId,
        atMs: AT_MS + 10,
        status: 'delivered',
        httpStatus: 200,
        error: null,
        nextAttemptAtMs: null,
      },
    ]);
    if (this.#random.chance(0.3)) await webhooks.sweep({ deliveredMs: AT_MS + 11, failedMs: AT_MS }, this.#random.between(1, 3));
  }

  async #definitions(): Promise<void> {
    this.#count += 1;
    const tenantId = this.#tenantId();
    const source = JSON.stringify(this.#text());
    await this.#store.control(
      { type: 'workflow_registered', workflowId: 'w', version: '1', revision: `r${this.#count}`, source },
      context({ tenantId, request: '{"id":"r"}' }),
    );
    const job = {
      id: `job${this.#count}`,
      tenantId,
      name: `name ${this.#random.between(1, 3)}`,
      cronExpression: '0 2 * * *',
      timezone: 'UTC',
      workflowId: 'w',
      workflowVersion: null,
      missed: 'skip',
      overlap: 'allow',
      enabled: true,
      nextRunAtMs: null,
      lastRunAtMs: null,
      lastExecutionId: null,
      lastError: null,
      createdAtMs: AT_MS,
      input: source,
    } as const;
    await this.#store.cron.put(job, context({ tenantId }));
    const id = `agent ${this.#random.between(1, 3)}`;
    const known = await this.#store.agents.get(tenantId, id);
    const agent = {
      id,
      uuid: `uuid of ${id}`,
      name: id,
      status: 'registered',
      statusSinceMs: AT_MS,
      card: JSON.stringify({ id, text: this.#text() }),
      version: (known?.version ?? 0) + 1,
      registeredAtMs: AT_MS,
      updatedAtMs: AT_MS,
    } as const;
    const stored = { agent, traits: [], event: { type: 'agent_registered', data: '{}' } };
    expect(await this.#store.agents.put(stored, context({ tenantId }))).toBe(true);
  }
}

export function storageContract(database: () => TestDatabase): void {
  describe('storage of a tenant', () => {
    it('is counted only while there is a limit', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      expect(await store.storage.follow()).toEqual([]);
      expect(await store.storage.of('default')).toBeNull();
      await setLimits(store, LIMITS);
      expect(await store.storage.follow()).toEqual(['default']);
      expect(await store.storage.of('default')).toMatchObject({ bytes: null, isCounting: true });
      expect((await store.backlog.read(9, AT_MS)).storage).toEqual([]);
      await store.storage.count('default', () => false);
      expect(await store.storage.of('default')).toMatchObject({ bytes: null, isCounting: true });
      await countAll(store);
      const counted = await store.storage.of('default');
      expect(counted).toMatchObject({ bytes: expect.any(Number), isCounting: false });
      expect((await store.backlog.read(9, AT_MS)).storage).toEqual([
        { tenantId: 'default', bytes: counted?.bytes, maxBytes: 1_000_000 },
      ]);
      expect(await store.storage.follow()).toEqual([]);
      await setLimits(store, null);
      expect(await store.storage.follow()).toEqual([]);
      expect(await store.storage.of('default')).toBeNull();
      expect(await store.storage.of('unknown')).toBeNull();
    });

    it('is the bytes of what callers and executions wrote, by kind', async () => {
      const store = await limited(database);
      const before = (await store.storage.of('default'))?.byKind;
      expect(before).toMatchObject({ artifacts: 0, memory: 0, deliveries: 0, definitions: 0, work: 0 });
      const logs = async () => (await store.storage.of('default'))?.byKind.logs ?? 0;
      const empty = { events: [event(1)], checkpoint: null };
      await store.commit(batch(startExecution('exec_1', empty)));
      const ofEmpty = (await logs()) - (before?.logs ?? 0);
      const item = workItem('w1', { payload: '{"a":"日本"}' });
      const longer = event(1, { data: { activation: 1, output: { step: 1, more: '日' } } });
      await store.commit(
        batch(
          startExecution('exec_2', {
            events: [longer],
            checkpoint: checkpoint('"é"'),
            offloaded: [artifact('a', 100)],
            work: [{ op: 'put', item }],
          }),
        ),
      );
      // `,"more":"日"` in the log, and the checkpoint.
      expect((await logs()) - (before?.logs ?? 0)).toBe(2 * ofEmpty + 13 + 4);
      await store.memory.put(memoryItem('m', 'é'), context(), AT_ONCE);
      expect((await store.storage.of('default'))?.byKind).toMatchObject({ artifacts: 100, memory: 4, work: 14 });
      await store.memory.remove({ namespace: 'docs', id: 'm', origin: {} }, context());
      await store.commit(
        batch(step('exec_2', 1, { events: [event(2)], work: [{ op: 'settle', id: 'w1', fence: null, status: 'failed' }] })),
      );
      expect((await store.storage.of('default'))?.byKind).toMatchObject({ artifacts: 100, memory: 0, work: 0 });
    });

    it('does not contain what other tenants store', async () => {
      const store = await limited(database);
      const before = await store.storage.of('default');
      await store.commit(batch(startExecution('exec_1', { tenantId: 'acme', offloaded: [artifact('a', 100)] })));
      await store.memory.put(memoryItem('m', 'text'), context({ tenantId: 'acme' }), AT_ONCE);
      expect(await store.storage.of('default')).toEqual(before);
    });

    it.each([1, 2, 3, 4])('is exact after each transaction, whatever is written and removed (%i)', async (seed) => {
      const store = await limited(database);
      const writes = await RandomWrites.of(store, seed);
      await writes.run(80);
      const counted = await store.storage.of('default');
      expect(counted).toMatchObject({ bytes: expect.any(Number), isCounting: false });
      for (const bytes of Object.values(counted?.byKind ?? {})) expect(bytes).toBeGreaterThanOrEqual(0);
      expect(await countedAnew(store)).toEqual(counted);
    });

    it.each([5, 6])('is exact when it is counted beside commits (%i)', async (seed) => {
      const store = await database().open();
      const writes = await RandomWrites.of(store, seed);
      await writes.run(60);
      // More than one page of rows.
      const artifacts = Array.from({ length: 1_200 }, (_, i) => artifact(`b${String(i).padStart(5, '0')}`, 3));
      await store.commit(batch(startExecution('exec_many', { offloaded: artifacts })));
      await setLimits(store, LIMITS);
      await Promise.all([countAll(store), writes.run(60)]);
      const first = await store.storage.of('default');
      await store.storage.requestRecount('default', context({ tenantId: 'operators' }));
      expect(await store.storage.of('default')).toEqual({ ...first, isCounting: true });
      await Promise.all([countAll(store), writes.run(60)]);
      const counted = await store.storage.of('default');
      expect(counted?.isCounting).toBe(false);
      expect(await countedAnew(store)).toEqual(counted);
    });

    it('is counted anew at the request of an operator, which is logged', async () => {
      const store = await limited(database);
      const counted = await store.storage.of('default');
      await store.storage.requestRecount('default', context({ tenantId: 'operators' }));
      expect(await store.storage.of('default')).toEqual({ ...counted, isCounting: true });
      expect(await store.storage.follow()).toEqual(['default']);
      await countAll(store);
      expect(await store.storage.of('default')).toEqual(counted);
      const { total } = await store.audit.find(
        'operators',
        { type: 'tenant_recount_requested' },
        { limit: 9, offset: 0, after: null },
      );
      expect(total).toBe(1);
    });
  });
}

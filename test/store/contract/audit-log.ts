import { describe, expect, it } from 'vitest';
import { checkExport } from '../../../store/audit/check-export.ts';
import type { AuditEntry, AuditFilter, AuditPage } from '../../../store/port/resources/audit.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, event, startExecution, step, token } from '../writes.ts';

const ALL = { limit: 200, offset: 0, after: null };

async function entriesOf(page: AuditPage): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = [];
  for await (const entry of page.entries) entries.push(entry);
  return entries;
}

/** `exec_1#3`, or `#2` for the control plane. */
function names(entries: readonly AuditEntry[]): readonly string[] {
  return entries.map(({ executionId, seq }) => `${executionId ?? ''}#${seq}`);
}

async function found(store: Store, filter: AuditFilter, tenantId = 'default'): Promise<readonly string[]> {
  const page = await store.audit.find(tenantId, filter, ALL);
  const entries = await entriesOf(page);
  expect(page.total).toBe(entries.length);
  return names(entries);
}

/** Two executions, an action, and another tenant's execution, over three seconds. */
async function recorded(store: Store): Promise<void> {
  const later = { atMs: AT_MS + 2_000, actorId: 'bob', type: 'approval_received' };
  await store.commit(batch(startExecution('exec_1'), startExecution('exec_a', { tenantId: 'acme' })));
  await store.control({ type: 'token_created', token: token('t1') }, context({ atMs: AT_MS + 1_000 }));
  await store.commit(
    batch(step('exec_1', 2, { events: [event(3, later)] }), startExecution('exec_2', { events: [event(1, later)] })),
  );
}

/** One event that bob caused, and two that others caused on his behalf. */
async function onBehalf(store: Store): Promise<void> {
  const forBob = { onBehalfOf: 'bob', type: 'approval_received' };
  await store.commit(batch(startExecution('exec_1', { events: [event(1, { actorId: 'bob' }), event(2, forBob)] })));
  await store.commit(batch(step('exec_1', 2, { events: [event(3, { ...forBob, atMs: AT_MS + 1_000, type: 'node_started' })] })));
  await store.commit(batch(startExecution('exec_2', { events: [event(1, { actorId: 'carol', onBehalfOf: 'dave' })] })));
}

export async function exported(store: Store, tenantId: string, fromBlock = 1): Promise<readonly string[]> {
  const lines: string[] = [];
  const { signal } = new AbortController();
  for await (const line of store.audit.export(tenantId, { fromBlock, atMs: AT_MS, signal })) lines.push(line.slice(0, -1));
  return lines;
}

export async function* lines(all: readonly string[]): AsyncGenerator<string> {
  yield* all;
}

export function auditLogContract(database: () => TestDatabase): void {
  describe('the audit log', () => {
    it('finds an actor’s own events and those caused on its behalf, once each, with an exact total', async () => {
      const store = await database().open();
      await onBehalf(store);
      expect(await found(store, { actorId: 'bob' })).toEqual(['exec_1#3', 'exec_1#2', 'exec_1#1']);
      expect(await found(store, { actorId: 'bob', executionId: 'exec_1' })).toEqual(['exec_1#3', 'exec_1#2', 'exec_1#1']);
      expect(await found(store, { actorId: 'bob', type: 'approval_received' })).toEqual(['exec_1#2']);
      expect(await found(store, { actorId: 'bob', fromMs: AT_MS + 1 })).toEqual(['exec_1#3']);
      expect(await found(store, { actorId: 'dave', executionId: 'exec_2' })).toEqual(['exec_2#1']);
      expect(await found(store, { actorId: 'dave' }, 'acme')).toEqual([]);
      const pages: string[] = [];
      let after: AuditPage['next'] = null;
      do {
        const page: AuditPage = await store.audit.find('default', { actorId: 'bob' }, { limit: 1, offset: 0, after });
        expect(page.total).toBe(3);
        pages.push(...names(await entriesOf(page)));
        after = page.next;
      } while (after !== null);
      expect(pages).toEqual(['exec_1#3', 'exec_1#2', 'exec_1#1']);
    });

    it('exports on whose behalf the actor acted, sealed with the rest', async () => {
      const store = await database().open();
      await onBehalf(store);
      const file = await exported(store, 'default');
      expect(file.join('\n')).toContain('"on_behalf_of":"bob"');
      expect(await checkExport(lines(file), { key: null, head: null })).toMatchObject({ fault: null, events: 4 });
      const forged = file.map((line) => line.replaceAll('"on_behalf_of":"bob",', ''));
      expect((await checkExport(lines(forged), { key: null, head: null })).fault).toMatchObject({ reason: 'stream_digest' });
    });

    it('contains a tenant’s events and actions, newest first, and within a millisecond the last written first', async () => {
      const store = await database().open();
      await recorded(store);
      expect(await found(store, {})).toEqual(['exec_2#1', 'exec_1#3', '#1', 'exec_1#2', 'exec_1#1']);
      expect(await found(store, {}, 'acme')).toEqual(['exec_a#2', 'exec_a#1']);
      expect(await found(store, {}, 'unknown')).toEqual([]);
      const [, entry] = await entriesOf(await store.audit.find('default', {}, ALL));
      expect(entry).toEqual({
        ...event(3, { atMs: AT_MS + 2_000, actorId: 'bob', type: 'approval_received' }),
        executionId: 'exec_1',
      });
    });

    it.each([
      [{ executionId: 'exec_1' }, ['exec_1#3', 'exec_1#2', 'exec_1#1']],
      [{ executionId: 'exec_a' }, []],
      [{ actorId: 'root' }, ['#1']],
      [{ actorId: 'bob' }, ['exec_2#1', 'exec_1#3']],
      [{ type: 'token_created' }, ['#1']],
      [{ type: 'approval_received', actorId: 'alice' }, []],
      [{ executionId: 'exec_1', type: 'approval_received', actorId: 'bob' }, ['exec_1#3']],
      [{ fromMs: AT_MS + 1_000 }, ['exec_2#1', 'exec_1#3', '#1']],
      [{ beforeMs: AT_MS + 1_000 }, ['exec_1#2', 'exec_1#1']],
      [{ fromMs: AT_MS + 1, beforeMs: AT_MS + 2_000 }, ['#1']],
      [{ executionId: 'exec_1', fromMs: AT_MS + 1 }, ['exec_1#3']],
      [{ fromMs: AT_MS, beforeMs: AT_MS }, []],
    ] satisfies [AuditFilter, string[]][])('by %j', async (filter, expected) => {
      const store = await database().open();
      await recorded(store);
      expect(await found(store, filter)).toEqual(expected);
    });

    it.each([
      {},
      { executionId: 'exec_1' },
      { actorId: 'alice' },
      { type: 'node_completed' },
      { executionId: 'exec_1', type: 'node_completed' },
    ])('is read in pages that leave nothing out, by %j', async (filter) => {
      const store = await database().open();
      await recorded(store);
      const whole = await found(store, filter);
      const paged: string[] = [];
      let after = null;
      do {
        const page: AuditPage = await store.audit.find('default', filter, { limit: 1, offset: 0, after });
        expect(page.total).toBe(whole.length + paged.length);
        paged.push(...names(await entriesOf(page)));
        after = page.next;
        // Entries written meanwhile are newer than all further pages.
        const seq = 3 + paged.length;
        await store.commit(batch(step('exec_1', seq - 1, { events: [event(seq, { atMs: AT_MS + 3_000 })] })));
      } while (after !== null);
      expect(paged).toEqual(whole);
    });

    it.each([{}, { executionId: 'exec_1' }])(
      'is read by the types of events that one commit appended together, in pages, by %j',
      async (filter) => {
        const store = await database().open();
        const types = ['novelty', 'node_started', 'novelty', 'node_completed', 'node_started', 'novelty'];
        const together = types.map((type, index) => event(index + 1, { type }));
        await store.commit(batch(startExecution('exec_1', { events: together }), startExecution('exec_2', { tenantId: 'acme' })));
        expect(await found(store, { ...filter, type: 'novelty' })).toEqual(['exec_1#6', 'exec_1#3', 'exec_1#1']);
        expect(await found(store, { ...filter, type: 'node_started' })).toEqual(['exec_1#5', 'exec_1#2']);
        expect(await found(store, { ...filter, type: 'node_failed' })).toEqual([]);
        const first = await store.audit.find('default', { ...filter, type: 'novelty' }, { limit: 1, offset: 1, after: null });
        expect([first.total, names(await entriesOf(first)), first.next?.seq]).toEqual([3, ['exec_1#3'], 3]);
        const second = await store.audit.find(
          'default',
          { ...filter, type: 'novelty' },
          { limit: 1, offset: 0, after: first.next },
        );
        expect([second.total, names(await entriesOf(second)), second.next]).toEqual([3, ['exec_1#1'], null]);
        const rest = await store.audit.find('default', filter, { limit: 2, offset: 1, after: first.next });
        expect([names(await entriesOf(rest)), rest.next]).toEqual([['exec_1#1'], null]);
      },
    );

    it('can be read after a position that a client made up', async () => {
      const store = await database().open();
      await recorded(store);
      for (const executionId of [null, 'exec_1']) {
        const after = { atMs: AT_MS - 1, executionId, seq: Number.MAX_SAFE_INTEGER };
        expect(await entriesOf(await store.audit.find('default', {}, { ...ALL, after }))).toEqual([]);
      }
    });

    it('can be read from an offset', async () => {
      const store = await database().open();
      await recorded(store);
      const page = await store.audit.find('default', {}, { limit: 2, offset: 2, after: null });
      expect(names(await entriesOf(page))).toEqual(['#1', 'exec_1#2']);
      expect(page).toMatchObject({ total: 5, next: { executionId: 'exec_1', seq: 2, atMs: AT_MS } });
      const beyond = await store.audit.find('default', {}, { limit: 2, offset: 9, after: null });
      expect(await entriesOf(beyond)).toEqual([]);
      expect(beyond).toMatchObject({ total: 5, next: null });
    });

    it('records the first heartbeat of a worker, and each start and stop of a runtime', async () => {
      const store = await database().open();
      const actor = { actorId: 'ann', actorType: 'human', request: '{"id":"r1"}' } as const;
      const worker = {
        id: 'w1',
        tenantId: 'acme',
        kind: 'external',
        queues: ['tool'],
        tools: null,
        atMs: AT_MS,
        claimed: 0,
        actor,
      } as const;
      await store.heartbeat(worker);
      await store.heartbeat({ ...worker, atMs: AT_MS + 1, queues: ['other'] });
      await store.heartbeat({ ...worker, id: 'rt_1', tenantId: null, kind: 'runtime' });
      await store.recordStop('rt_1', AT_MS + 5);
      const [registered, ...more] = await entriesOf(await store.audit.find('acme', {}, ALL));
      expect(more).toEqual([]);
      expect(registered).toMatchObject({ type: 'worker_registered', executionId: null, ...actor });
      expect(registered?.data).toEqual({ worker_id: 'w1', queue_types: ['tool'] });
      const runtimes = await entriesOf(await store.audit.find('default', {}, ALL));
      expect(runtimes.map(({ type }) => type)).toEqual(['runtime_stopped', 'runtime_started']);
    });
  });

  describe('an exported audit log', () => {
    it('can be verified without the store, and names no other tenant', async () => {
      const store = await database().open();
      await recorded(store);
      const { head } = await store.verifyAudit();
      const log = await exported(store, 'acme');
      expect(log.join('\n')).not.toMatch(/default|exec_1|exec_2|alice.*bob|token/);
      expect(await checkExport(lines(log), { key: null, head })).toMatchObject({
        tenantId: 'acme',
        fromBlock: 1,
        toBlock: 3,
        events: 2,
        head,
        fault: null,
      });
    });

    it('continues from a block', async () => {
      const store = await database().open();
      await recorded(store);
      const log = await exported(store, 'default', 3);
      expect(await checkExport(lines(log), { key: null, head: null })).toMatchObject({
        fromBlock: 3,
        toBlock: 3,
        events: 2,
        fault: null,
      });
      const empty = await exported(store, 'default', 4);
      expect(await checkExport(lines(empty), { key: null, head: null })).toMatchObject({ fromBlock: 4, toBlock: 3, fault: null });
      await expect(exported(store, 'default', 5)).rejects.toMatchObject({ name: 'StoreError', code: 'unknown_block' });
    });

    it('ends when it is aborted', async () => {
      const store = await database().open();
      await recorded(store);
      const stop = new AbortController();
      const log = store.audit.export('default', { fromBlock: 1, atMs: AT_MS, signal: stop.signal })[Symbol.asyncIterator]();
      await log.next();
      stop.abort(new Error('enough'));
      await expect(log.next()).rejects.toThrow('enough');
    });
  });
}

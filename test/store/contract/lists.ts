import { describe, expect, it } from 'vitest';
import type { ExecutionPageRequest } from '../../../store/port/execution-search.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import { Random } from '../../support/random.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { batch, event, startExecution, step } from '../writes.ts';

const ALL = { limit: 100, offset: 0 };

async function ids(store: ExecutionStore, tenantId: string, filter: object = {}): Promise<readonly string[]> {
  return (await store.tenant(tenantId).executions({ ...ALL, ...filter })).rows.map((row) => row.id);
}

interface Described {
  readonly id: string;
  readonly status: string;
  readonly workflowId: string;
  readonly workflowVersion: string;
  readonly parentId: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

function matches(execution: Described, filter: Omit<ExecutionPageRequest, 'limit' | 'offset'>): boolean {
  const { id, status, workflowId, workflowVersion, parentId, labels } = execution;
  const { from, before, after, order } = filter;
  return (
    (filter.statuses?.includes(status) ?? true) &&
    (filter.workflowId ?? workflowId) === workflowId &&
    (filter.workflowVersion ?? workflowVersion) === workflowVersion &&
    (filter.parentId === undefined || filter.parentId === parentId) &&
    (filter.labels ?? []).every(({ key, value }) => labels[key] !== undefined && (value ?? labels[key]) === labels[key]) &&
    (from === undefined || id >= from) &&
    (before === undefined || id < before) &&
    (after === undefined || (order === 'oldest' ? id > after : id < after))
  );
}

export function listContract(database: () => TestDatabase<CoreStore>): void {
  describe('lists of executions', () => {
    it('are returned in pages, newest first', async () => {
      const store = await database().open();
      await store.commit(
        batch(startExecution('exec_2'), startExecution('exec_1'), startExecution('exec_4'), startExecution('exec_3')),
      );
      expect(await ids(store, 'default')).toEqual(['exec_4', 'exec_3', 'exec_2', 'exec_1']);
      expect(await ids(store, 'default', { limit: 2, offset: 1 })).toEqual(['exec_3', 'exec_2']);
      expect(await ids(store, 'default', { limit: 2, offset: 4 })).toEqual([]);
    });

    it('are found by labels of any length', async () => {
      const store = await database().open();
      // Letters that are hard to compress.
      const random = new Random(7);
      const long = Array.from({ length: 5_000 }, () => String.fromCharCode(0x4e00 + random.between(0, 20_000))).join('');
      const labelled = (id: string, key: string, value: string) =>
        startExecution(id, { create: { labels: JSON.stringify({ [key]: value }) } });
      expect(
        await store.commit(
          batch(labelled('exec_1', 'k', long), labelled('exec_2', long, long), labelled('exec_3', 'k', `${long}!`)),
        ),
      ).toEqual([null, null, null]);
      const found = async (key: string, value?: string) =>
        ids(store, 'default', { labels: [value === undefined ? { key } : { key, value }] });
      expect(await found('k')).toEqual(['exec_3', 'exec_1']);
      expect(await found('k', long)).toEqual(['exec_1']);
      expect(await found('k', `${long}!`)).toEqual(['exec_3']);
      expect(await found(long)).toEqual(['exec_2']);
      expect(await found(long, long)).toEqual(['exec_2']);
      expect(await store.tenant('default').countExecutions({ labels: [{ key: 'k', value: long }] })).toBe(1);
    });

    it('return whole rows without the checkpoint', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      expect(await store.tenant('default').executions(ALL)).toEqual({ rows: [await store.execution('exec_1')], next: null });
    });

    it('continue where the last page ended, whatever was added meanwhile', async () => {
      const store = await database().open();
      await store.commit(
        batch(startExecution('exec_1'), startExecution('exec_3'), startExecution('exec_5'), startExecution('exec_7')),
      );
      const page = async (request: object) => {
        const { rows, next } = await store.tenant('default').executions({ limit: 2, offset: 0, ...request });
        return [rows.map((row) => row.id), next];
      };
      expect(await page({})).toEqual([['exec_7', 'exec_5'], 'exec_5']);
      await store.commit(batch(startExecution('exec_9')));
      expect(await page({ after: 'exec_5' })).toEqual([['exec_3', 'exec_1'], null]);
      expect(await page({ order: 'oldest' })).toEqual([['exec_1', 'exec_3'], 'exec_3']);
      expect(await page({ order: 'oldest', after: 'exec_3', limit: 3 })).toEqual([['exec_5', 'exec_7', 'exec_9'], null]);
      expect(await page({ after: 'exec_1' })).toEqual([[], null]);
    });

    it('can be limited to a range of ids, end exclusive', async () => {
      const store = await database().open();
      await store.commit(
        batch(startExecution('exec_1'), startExecution('exec_2'), startExecution('exec_3'), startExecution('exec_4')),
      );
      const range = { from: 'exec_2', before: 'exec_4' };
      for (const filter of [{}, { statuses: ['running'] }, { statuses: ['running'], workflowId: 'refund' }]) {
        expect(await ids(store, 'default', { ...filter, ...range })).toEqual(['exec_3', 'exec_2']);
        expect(await ids(store, 'default', { ...filter, ...range, order: 'oldest' })).toEqual(['exec_2', 'exec_3']);
        expect(await ids(store, 'default', { ...filter, ...range, offset: 1 })).toEqual(['exec_2']);
        expect(await ids(store, 'default', { ...filter, ...range, offset: 2 })).toEqual([]);
        expect(await ids(store, 'default', { ...filter, ...range, after: 'exec_3' })).toEqual(['exec_2']);
        expect(await ids(store, 'default', { ...filter, from: 'exec_4', before: 'exec_2' })).toEqual([]);
      }
    });

    it('filter by labels, with a value or with any', async () => {
      const store = await database().open();
      const labelled = (id: string, labels: object) => startExecution(id, { create: { labels: JSON.stringify(labels) } });
      await store.commit(
        batch(
          labelled('exec_1', { env: 'prod', region: 'eu' }),
          labelled('exec_2', { env: 'test' }),
          labelled('exec_3', { env: 'prod', '': '' }),
          startExecution('exec_4'),
          startExecution('exec_5', { tenantId: 'acme', create: { labels: '{"env":"prod"}' } }),
        ),
      );
      const found = (...labels: readonly object[]) => ids(store, 'default', { labels });
      expect(await found({ key: 'env', value: 'prod' })).toEqual(['exec_3', 'exec_1']);
      expect(await found({ key: 'env' })).toEqual(['exec_3', 'exec_2', 'exec_1']);
      expect(await found({ key: 'env', value: 'prod' }, { key: 'region', value: 'eu' })).toEqual(['exec_1']);
      expect(await found({ key: 'env' }, { key: '', value: '' })).toEqual(['exec_3']);
      expect(await found({ key: 'prod' })).toEqual([]);
      expect(await ids(store, 'default', { labels: [{ key: 'env' }], statuses: ['paused'] })).toEqual([]);
    });

    it('filter by any combination of conditions like a filter over all rows', async () => {
      const store = await database().open();
      const random = new Random(7);
      const pick = <T>(...choices: readonly T[]): T => random.pick(choices);
      const all = Array.from({ length: 400 }, (_, index) => ({
        id: `exec_${String(index).padStart(3, '0')}`,
        status: pick('running', 'running', 'running', 'paused', 'failed'),
        workflowId: pick('a', 'a', 'b'),
        workflowVersion: pick('1', '2', '2', '2'),
        parentId: pick(null, null, 'exec_p'),
        labels: pick<Record<string, string>>({}, { env: 'prod' }, { env: 'test', team: 'x' }),
      }));
      const writes = all.map(({ id, status, labels, ...create }) =>
        startExecution(id, { create: { ...create, labels: JSON.stringify(labels) }, progress: { status } }),
      );
      await store.commit(batch(...writes));
      for (let round = 0; round < 300; round += 1) {
        const filter = {
          ...pick({}, { statuses: ['failed'] }, { statuses: ['failed', 'paused', 'failed'] }, { statuses: [] }),
          ...pick({}, { workflowId: 'a' }, { workflowId: 'b', workflowVersion: '1' }, { workflowId: 'c' }),
          ...pick({}, { parentId: 'exec_p' }),
          ...pick({}, { labels: [{ key: 'env' }] }, { labels: [{ key: 'env', value: 'test' }, { key: 'team' }] }),
          ...pick({}, { from: 'exec_100' }, { before: 'exec_300' }, { from: 'exec_050', before: 'exec_350' }),
          ...pick({}, { after: 'exec_200' }),
          order: pick('newest', 'oldest'),
        } as const;
        const expected = all.filter((each) => matches(each, filter)).map(({ id }) => id);
        if (filter.order === 'newest') expected.reverse();
        const limit = pick(1, 7, 400);
        const offset = pick(0, 0, 3, 60);
        const { rows, next } = await store.tenant('default').executions({ ...filter, limit, offset });
        const page = expected.slice(offset, offset + limit);
        const more = expected.length > offset + limit;
        expect({ filter, ids: rows.map((row) => row.id), next }).toEqual({
          filter,
          ids: page,
          next: more ? page.at(-1) : null,
        });
        const { after, ...counted } = { after: undefined, ...filter };
        if (after !== undefined) continue;
        expect(await store.tenant('default').countExecutions(counted)).toBe(expected.length);
        const numbers = await store.tenant('default').countByStatus(counted);
        for (const status of ['running', 'paused', 'failed', 'completed']) {
          const having = all.filter((each) => each.status === status && expected.includes(each.id));
          expect([filter, status, numbers.get(status) ?? 0]).toEqual([filter, status, having.length]);
        }
      }
    });

    it('follow a status that changes', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      await store.commit(batch(step('exec_1', 2, { progress: { status: 'paused' } })));
      expect(await ids(store, 'default', { statuses: ['running'] })).toEqual([]);
      expect(await ids(store, 'default', { statuses: ['paused'] })).toEqual(['exec_1']);
    });

    it('show a tenant its own executions', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1'), startExecution('exec_2', { tenantId: 'acme' })));
      expect(await ids(store, 'acme')).toEqual(['exec_2']);
      expect(await store.tenant('acme').execution('exec_2')).toMatchObject({ tenantId: 'acme' });
      expect(await store.tenant('acme').execution('exec_1')).toBeNull();
      expect(await store.tenant('unknown').executions(ALL)).toEqual({ rows: [], next: null });
      expect(await store.tenant('unknown').countExecutions({})).toBe(0);
    });
  });

  describe('executions with in-process work', () => {
    it('are listed by id in pages while they have work', async () => {
      const store = await database().open();
      const busy = { progress: { localWork: 1, owner: 'rt_1' } };
      await store.commit(
        batch(
          startExecution('exec_3', busy),
          startExecution('exec_1', { tenantId: 'acme', ...busy }),
          startExecution('exec_2'),
          startExecution('exec_4', busy),
        ),
      );
      const page = async (after: string, limit: number) =>
        (await store.executionsWithLocalWork({ after, limit })).map((row) => row.id);
      expect(await page('', 2)).toEqual(['exec_1', 'exec_3']);
      expect(await page('exec_3', 2)).toEqual(['exec_4']);
      await store.commit(batch(step('exec_4', 2), step('exec_2', 2, busy)));
      expect(await page('', 10)).toEqual(['exec_1', 'exec_2', 'exec_3']);
    });
  });

  describe('the log', () => {
    it('is read in pages after a sequence', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1'), step('exec_1', 2), startExecution('exec_2'), step('exec_1', 4)));
      const page = async (after: number, limit: number) => {
        const { rows, next } = await store.events('exec_1', { after, limit });
        return [rows.map((row) => row.seq), next];
      };
      expect(await page(0, 4)).toEqual([[1, 2, 3, 4], 4]);
      expect(await page(4, 4)).toEqual([[5, 6], null]);
      expect(await page(6, 4)).toEqual([[], null]);
      expect(await page(Number.MAX_SAFE_INTEGER, 4)).toEqual([[], null]);
    });

    it('ends a page early when its events are large, but not before the first event', async () => {
      const store = await database().open();
      const data = { output: 'x'.repeat(1_000) };
      await store.commit(batch(startExecution('exec_1', { events: [1, 2, 3, 4, 5].map((seq) => event(seq, { data })) })));
      const page = async (after: number, maxChars: number) => {
        const { rows, next } = await store.events('exec_1', { after, limit: 3, maxChars });
        return [rows.map((row) => row.seq), next];
      };
      expect(await page(0, 10_000)).toEqual([[1, 2, 3], 3]);
      expect(await page(0, 1_500)).toEqual([[1, 2], 2]);
      expect(await page(2, 10)).toEqual([[3], 3]);
      expect(await page(3, 10_000)).toEqual([[4, 5], null]);
      expect(await page(5, 10)).toEqual([[], null]);
    });

    it('is read in pages that end within a large commit', async () => {
      const store = await database().open();
      const written = Array.from({ length: 600 }, (_, index) => {
        const seq = index + 1;
        return seq % 100 === 0 ? event(seq, { type: 'node_failed', nodeId: 'b' }) : event(seq);
      });
      await store.commit(batch(startExecution('exec_1', { events: written }), step('exec_1', 600)));
      for (const limit of [1, 99, 255, 256, 257, 602]) {
        const read: number[] = [];
        for (let after: number | null = 0; after !== null; ) {
          const { rows, next } = await store.events('exec_1', { after, limit });
          read.push(...rows.map(({ seq }) => seq));
          after = next;
        }
        expect(read).toEqual(Array.from({ length: 602 }, (_, index) => index + 1));
      }
      const failed = async (filter: object) =>
        (await store.events('exec_1', { after: 150, limit: 3, ...filter })).rows.map(({ seq }) => seq);
      expect(await failed({ type: 'node_failed' })).toEqual([200, 300, 400]);
      expect(await failed({ nodeId: 'b' })).toEqual([200, 300, 400]);
    });

    it('is filtered by type and node', async () => {
      const store = await database().open();
      const written = [
        event(1, { type: 'workflow_started', nodeId: null }),
        event(2, { type: 'node_started' }),
        event(3),
        event(4, { type: 'node_started', nodeId: 'b' }),
      ];
      await store.commit(batch(startExecution('exec_1', { events: written })));
      const seqs = async (filter: object) =>
        (await store.events('exec_1', { after: 0, limit: 10, ...filter })).rows.map((row) => row.seq);
      expect(await seqs({ type: 'node_started' })).toEqual([2, 4]);
      expect(await seqs({ nodeId: 'a' })).toEqual([2, 3]);
      expect(await seqs({ type: 'node_started', nodeId: 'b' })).toEqual([4]);
      expect(await seqs({ after: 2, type: 'node_started' })).toEqual([4]);
    });

    it('keeps a large event whole', async () => {
      const store = await database().open();
      const data = { output: '€'.repeat(1_000_000) };
      await store.commit(batch(startExecution('exec_1', { events: [event(1, { data })] })));
      expect((await store.events('exec_1', { after: 0, limit: 1 })).rows[0]?.data).toEqual(data);
      expect(await store.verifyAudit()).toMatchObject({ fault: null });
    });
  });
}

import { describe, expect, it } from 'vitest';
import type { ThreadAppend, ThreadMessagesPage, ThreadTurn } from '../../../store/port/resources/threads.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, context, startExecution } from '../writes.ts';

const LIMITS = { messages: 10, bytes: 10_000 };

function append(id: string, texts: readonly string[], change: Partial<ThreadAppend> = {}): ThreadAppend {
  return { id, messages: texts.map(message), limits: LIMITS, origin: {}, ...change };
}

function message(content: string): string {
  return JSON.stringify({ role: 'user', content });
}

async function page(store: Store, id: string, change: Partial<ThreadMessagesPage> = {}, tenantId = 'default') {
  const read = await store.threads.messages(tenantId, id, { order: 'asc', cursor: null, limit: 10, ...change });
  if (read === null) return null;
  const texts = read.messages.map((row) => [row.sequence, JSON.parse(row.message).content]);
  return { texts: texts as [number, string][], next: read.next };
}

export function threadContract(database: () => TestDatabase): void {
  describe('threads', () => {
    it('keep messages in the order in which they were appended, with their totals', async () => {
      const store = await database().open();
      expect(await store.threads.get('default', 'ann')).toBeNull();
      expect(await page(store, 'ann')).toBeNull();
      const first = append('ann', ['one', 'two']);
      expect(await store.threads.append(first, context())).toEqual({ first: 1, last: 2, messages: 2 });
      const later = context({ atMs: AT_MS + 5 });
      expect(await store.threads.append(append('ann', ['thrée']), later)).toEqual({ first: 3, last: 3, messages: 3 });
      const texts = [...first.messages, message('thrée')];
      expect(await store.threads.get('default', 'ann')).toEqual({
        number: expect.any(Number),
        id: 'ann',
        messages: 3,
        bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
        last: 3,
        summary: null,
        summarised: 0,
        createdAtMs: AT_MS,
        updatedAtMs: AT_MS + 5,
      });
      const read = await store.threads.messages('default', 'ann', { order: 'asc', cursor: null, limit: 10 });
      expect(read?.messages[2]).toEqual({
        sequence: 3,
        message: message('thrée'),
        executionId: null,
        nodeId: null,
        activation: null,
        createdAtMs: AT_MS + 5,
      });
    });

    it('are read page by page, from both ends', async () => {
      const store = await database().open();
      await store.threads.append(append('ann', ['a', 'b', 'c', 'd', 'e']), context());
      expect(await page(store, 'ann', { limit: 2 })).toEqual({
        texts: [
          [1, 'a'],
          [2, 'b'],
        ],
        next: 2,
      });
      expect(await page(store, 'ann', { limit: 3, cursor: 2 })).toEqual({
        texts: [
          [3, 'c'],
          [4, 'd'],
          [5, 'e'],
        ],
        next: null,
      });
      expect(await page(store, 'ann', { limit: 2, order: 'desc' })).toEqual({
        texts: [
          [5, 'e'],
          [4, 'd'],
        ],
        next: 4,
      });
      expect(await page(store, 'ann', { limit: 9, order: 'desc', cursor: 4 })).toEqual({
        texts: [
          [3, 'c'],
          [2, 'b'],
          [1, 'a'],
        ],
        next: null,
      });
      expect(await page(store, 'ann', { cursor: 5 })).toEqual({ texts: [], next: null });
    });

    it('end a page early when its messages are large', async () => {
      const store = await database().open();
      const large = 'x'.repeat(2 * 1024 * 1024);
      const limits = { messages: 10, bytes: 100_000_000 };
      await store.threads.append(append('ann', [large, large, large], { limits }), context());
      expect((await page(store, 'ann'))?.texts.map(([sequence]) => sequence)).toEqual([1]);
      expect((await page(store, 'ann', { cursor: 1 }))?.next).toBe(2);
    });

    it('hold no more than the limits, and nothing of an append that would exceed them', async () => {
      const store = await database().open();
      await store.threads.append(append('ann', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']), context());
      expect(await store.threads.append(append('ann', ['j', 'k']), context())).toEqual({ exceeded: 'messages' });
      expect(await store.threads.append(append('ann', ['j']), context())).toMatchObject({ messages: 10 });
      expect(await store.threads.append(append('bob', ['x'.repeat(10_000)]), context())).toEqual({ exceeded: 'bytes' });
      expect(await store.threads.get('default', 'bob')).toBeNull();
    });

    it('are listed, the last changed first', async () => {
      const store = await database().open();
      for (const [i, id] of ['a', 'b', 'c'].entries())
        await store.threads.append(append(id, ['x']), context({ atMs: AT_MS + i }));
      await store.threads.append(append('a', ['y']), context({ atMs: AT_MS + 9 }));
      await store.threads.append(append('z', ['y']), context({ tenantId: 'acme' }));
      const [first, second] = await store.threads.list('default', { before: null, limit: 2 });
      expect([first?.id, second?.id]).toEqual(['a', 'c']);
      const rest = await store.threads.list('default', { before: second ?? null, limit: 2 });
      expect(rest.map(({ id }) => id)).toEqual(['b']);
    });

    it('are of their tenant alone', async () => {
      const store = await database().open();
      await store.threads.append(append('ann', ['mine']), context());
      await store.threads.append(append('ann', ['theirs']), context({ tenantId: 'acme' }));
      expect((await page(store, 'ann', {}, 'acme'))?.texts).toEqual([[1, 'theirs']]);
      expect(await store.threads.remove('ann', context({ tenantId: 'acme' }))).toEqual({ messages: 1, isGone: true });
      expect((await page(store, 'ann'))?.texts).toEqual([[1, 'mine']]);
      expect(await store.threads.remove('ann', context({ tenantId: 'acme' }))).toBeNull();
    });

    it('are removed with their messages, a part at a time, and never have the number of another', async () => {
      const store = await database().open();
      const large = 'x'.repeat(3 * 1024 * 1024);
      const limits = { messages: 10, bytes: 100_000_000 };
      await store.threads.append(append('ann', [large, large, 'c'], { limits }), context());
      const before = await store.threads.get('default', 'ann');
      expect(await store.threads.remove('ann', context())).toEqual({ messages: 1, isGone: false });
      const bytes = Buffer.byteLength(message(large)) + Buffer.byteLength(message('c'));
      expect(await store.threads.get('default', 'ann')).toMatchObject({ messages: 2, last: 3, bytes });
      expect(await store.threads.remove('ann', context())).toEqual({ messages: 2, isGone: true });
      expect(await page(store, 'ann')).toBeNull();
      await store.threads.append(append('ann', ['new']), context());
      expect((await page(store, 'ann'))?.texts).toEqual([[1, 'new']]);
      expect((await store.threads.get('default', 'ann'))?.number).not.toBe(before?.number);
    });

    it('log who has appended and deleted, without what is said', async () => {
      const store = await database().open();
      await store.threads.append(append('ann', ['secret', 'secret'], { origin: { execution_id: 'exec_1' } }), context());
      await store.threads.remove('ann', context());
      const { entries } = await store.audit.find('default', {}, { limit: 9, offset: 0, after: null });
      const events: object[] = [];
      for await (const { type, data } of entries) events.push({ type, ...data });
      expect(events).toEqual([
        { type: 'thread_deleted', thread_id: 'ann', messages: 2 },
        { type: 'thread_appended', thread_id: 'ann', first: 1, last: 2, execution_id: 'exec_1' },
      ]);
      expect(await store.verifyAudit()).toMatchObject({ fault: null });
    });

    it('take the turn of a commit, if they are as it has read them', async () => {
      const store = await database().open();
      const turn = (id: string, read: ThreadTurn['read'], ...texts: string[]): ThreadTurn => ({
        ...{ id, read, nodeId: 'talk', activation: 2 },
        messages: texts.map(message),
      });
      const of = (id: string, ...threads: ThreadTurn[]) => startExecution(id, { threads });
      expect(await store.commit(batch(of('exec_1', turn('ann', null, 'a', 'b')), of('exec_2', turn('bob', null, 'c'))))).toEqual([
        null,
        null,
      ]);
      const ann = await store.threads.get('default', 'ann');
      if (ann === null) throw new Error('no thread');
      expect(ann).toMatchObject({ messages: 2, last: 2, createdAtMs: AT_MS });
      const { messages = [] } = (await store.threads.messages('default', 'ann', { order: 'asc', cursor: null, limit: 9 })) ?? {};
      expect(messages[1]).toMatchObject({ sequence: 2, executionId: 'exec_1', nodeId: 'talk', activation: 2 });
      const [late, fits, other] = await store.commit(
        batch(
          of('exec_3', turn('ann', null, 'late')),
          of('exec_4', turn('ann', ann, 'd'), turn('new', null, 'e')),
          of('exec_5', turn('ann', ann, 'too late')),
        ),
      );
      expect([late, fits, other]).toEqual([
        { reason: 'thread', executionId: 'exec_3' },
        null,
        { reason: 'thread', executionId: 'exec_5' },
      ]);
      expect((await page(store, 'ann'))?.texts).toEqual([
        [1, 'a'],
        [2, 'b'],
        [3, 'd'],
      ]);
      expect((await page(store, 'new'))?.texts).toEqual([[1, 'e']]);
      expect([await store.execution('exec_3'), await store.execution('exec_5')]).toEqual([null, null]);
      await store.threads.remove('ann', context());
      await store.threads.append(append('ann', ['x', 'y']), context());
      expect(await store.commit(batch(of('exec_6', turn('ann', ann, 'of the deleted thread'))))).toEqual([
        { reason: 'thread', executionId: 'exec_6' },
      ]);
      const half = of('exec_7', turn('fresh', null, 'f'), turn('ann', null, 'g'));
      expect(await store.commit(batch(half))).toEqual([{ reason: 'thread', executionId: 'exec_7' }]);
      expect(await store.threads.get('default', 'fresh')).toBeNull();
      expect(await store.verifyAudit()).toMatchObject({ fault: null });
    });

    it.each([
      ['alone', []],
      ['beside a unit that is refused', [startExecution('known')]],
    ])('take the turns of a batch in order, %s', async (_, beside) => {
      const store = await database().open();
      await store.commit(batch(startExecution('known')));
      await store.threads.append(append('ann', ['a']), context());
      const { number = 0 } = (await store.threads.get('default', 'ann')) ?? {};
      const turn = (id: string, last: number | null, ...texts: string[]): ThreadTurn => ({
        ...{ id, read: last === null ? null : { number, last }, nodeId: 'talk', activation: 2 },
        messages: texts.map(message),
      });
      const units = [
        startExecution('exec_1', { threads: [turn('ann', 1, 'b', 'c'), turn('ann', 3, 'd')] }),
        startExecution('exec_2', { threads: [turn('new', null, 'n'), turn('ann', 4, 'e')] }),
        startExecution('exec_3', { tenantId: 'acme', threads: [turn('ann', null, 'theirs')] }),
      ];
      expect((await store.commit(batch(...beside, ...units))).slice(beside.length)).toEqual(units.map(() => null));
      const written = (await page(store, 'ann'))?.texts;
      expect(written?.map(([, text]) => text)).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(written?.map(([sequence]) => sequence)).toEqual([1, 2, 3, 4, 5]);
      expect(await store.threads.get('default', 'ann')).toMatchObject({ messages: 5, last: 5 });
      expect((await page(store, 'ann', {}, 'acme'))?.texts).toEqual([[1, 'theirs']]);
      const late = startExecution('exec_4', { threads: [turn('unused', null, 'u'), turn('ann', 4, 'late')] });
      expect(await store.commit(batch(late))).toEqual([{ reason: 'thread', executionId: 'exec_4' }]);
      expect(await store.threads.get('default', 'unused')).toBeNull();
    });

    it('have a summary of their first messages, unless it has changed meanwhile', async () => {
      const store = await database().open();
      await store.threads.append(append('ann', ['a', 'b', 'c']), context());
      const { number = 0, bytes = 0 } = (await store.threads.get('default', 'ann')) ?? {};
      const summary = { id: 'ann', number, summary: 'ä and b', summarised: 2, summarisedBefore: 0 };
      expect(await store.threads.summarise('default', summary)).toBe(true);
      expect(await store.threads.get('default', 'ann')).toMatchObject({ summary: 'ä and b', summarised: 2, bytes: bytes + 8 });
      expect(await store.threads.summarise('default', summary)).toBe(false);
      expect(await store.threads.summarise('acme', { ...summary, summarisedBefore: 2 })).toBe(false);
      const next = { ...summary, summary: 'all', summarised: 3, summarisedBefore: 2 };
      expect(await store.threads.summarise('default', next)).toBe(true);
      expect(await store.threads.get('default', 'ann')).toMatchObject({ summary: 'all', summarised: 3, bytes: bytes + 3 });
    });
  });
}

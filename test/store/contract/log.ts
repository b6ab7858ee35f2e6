import { describe, expect, it } from 'vitest';
import { SLICE_BYTES } from '../../../store/log/entry.ts';
import type { Store } from '../../../store/port/store.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { batch, event, events, startExecution, step } from '../writes.ts';

/** `execution sequence` of each event after the position, to the end. */
async function following(store: Store, position: string, limit = 100, tenantId?: string): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let at = position; ; ) {
    const slice = await store.log.after(at, { limit, ...(tenantId === undefined ? {} : { tenantId }) });
    seen.push(...slice.events.map(({ executionId, seq }) => `${executionId} ${seq}`));
    at = slice.position;
    if (slice.end) return seen;
  }
}

export function logContract(database: () => TestDatabase): void {
  describe('the log of all executions', () => {
    it('returns events in commit order', async () => {
      const store = await database().open();
      const start = await store.log.end();
      await store.commit(batch(startExecution('a'), startExecution('b', { create: { workflowId: 'other' } })));
      await store.commit(batch(step('b', 2)));
      await store.commit(batch(step('a', 2)));
      expect(await following(store, start)).toEqual(['a 1', 'a 2', 'b 1', 'b 2', 'b 3', 'b 4', 'a 3', 'a 4']);
      const [, , third] = (await store.log.after(start, { limit: 10 })).events;
      expect(third).toMatchObject({
        tenantId: 'default',
        executionId: 'b',
        workflowId: 'other',
        seq: 1,
        type: 'node_completed',
        nodeId: 'a',
      });
    });

    it('is read in slices of bytes where entries are large', async () => {
      const store = await database().open();
      const start = await store.log.end();
      const large = (seq: number) => ({ events: [event(seq, { data: { output: 'x'.repeat(SLICE_BYTES / 4) } })] });
      await store.commit(batch(startExecution('a', large(1))));
      for (let seq = 1; seq < 8; seq += 1) await store.commit(batch(step('a', seq, large(seq + 1))));
      expect(await store.log.after(start, { limit: 100 })).toMatchObject({ events: { length: 4 }, end: false });
      expect(await following(store, start)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((seq) => `a ${seq}`));
    });

    it('continues from any position, including its end', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('a')));
      const end = await store.log.end();
      expect(await following(store, end)).toEqual([]);
      await store.commit(batch(step('a', 2)));
      const { events } = await store.log.after(end, { limit: 10 });
      expect(events.map(({ seq }) => seq)).toEqual([3, 4]);
      expect(await following(store, events[0]?.position ?? '')).toEqual(['a 4']);
    });

    it('can be read in slices of any size without loss', async () => {
      const store = await database().open();
      const start = await store.log.end();
      await store.commit(batch(...['a', 'b', 'c'].map((id) => startExecution(id))));
      const all = await following(store, start);
      expect(all).toHaveLength(6);
      for (const limit of [1, 2, 5, 6, 7]) expect(await following(store, start, limit)).toEqual(all);
    });

    it('can be read from within a large commit', async () => {
      const store = await database().open();
      const start = await store.log.end();
      await store.commit(batch(startExecution('a', { events: events(1, 600) }), startExecution('b')));
      const all = await following(store, start, 1_000);
      expect(all).toEqual([...Array.from({ length: 600 }, (_, index) => `a ${index + 1}`), 'b 1', 'b 2']);
      expect(await following(store, start, 77)).toEqual(all);
      const { events: some } = await store.log.after(start, { limit: 300 });
      for (const index of [0, 254, 255, 256, 299])
        expect((await following(store, some[index]?.position ?? '', 1_000))[0]).toBe(`a ${index + 2}`);
    });

    it('returns only the events of the given tenant', async () => {
      const store = await database().open();
      const start = await store.log.end();
      for (let i = 0; i < 5; i += 1)
        await store.commit(batch(startExecution(`d${i}`), startExecution(`x${i}`, { tenantId: 'acme' })));
      expect(await following(store, start, 3, 'acme')).toEqual([0, 1, 2, 3, 4].flatMap((i) => [`x${i} 1`, `x${i} 2`]));
      expect(await following(store, start, 3, 'unknown')).toEqual([]);
    });

    it('rejects an invalid position', async () => {
      const store = await database().open();
      for (const position of ['', 'x', '-1', '-1.0', '999999', '0.999999', '9.0', '9'.repeat(30), `${'9'.repeat(30)}.0`]) {
        await expect(store.log.after(position, { limit: 1 }), position).rejects.toMatchObject({ code: 'unknown_position' });
      }
    });

    it('keeps its positions and its key after reopening', async () => {
      const file = database();
      const first = await file.open();
      const key = await first.log.key();
      await first.commit(batch(startExecution('a')));
      const position = await first.log.end();
      await first.commit(batch(startExecution('b')));
      await first.close();
      const again = await file.open();
      expect(await again.log.key()).toEqual(key);
      expect(key).toHaveLength(32);
      expect(await following(again, position)).toEqual(['b 1', 'b 2']);
    });
  });
}

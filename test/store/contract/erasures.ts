import { describe, expect, it } from 'vitest';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { OriginalEvent } from '../../../store/port/resources/erasures.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, type Change, checkpoint, request, startExecution, step, unit } from '../writes.ts';

const original = (seq: number, data = `{"secret":${seq}}`): OriginalEvent => ({ seq, salt: `salt ${seq}`, data });

function started(id: string, change: Change = {}): ExecutionWrite {
  return startExecution(id, { redaction: { originals: [original(1), original(2)], ended: null }, ...change });
}

function ended(id: string, change: Change = {}): ExecutionWrite {
  return step(id, 2, {
    ...change,
    redaction: { originals: [original(4, '"ü\\u0000 \\ud800"')], ended: { atMs: AT_MS, removeAtMs: null }, ...change.redaction },
    progress: { status: 'completed', completedAtMs: AT_MS, ...change.progress },
  });
}

const erasure = (executionId: string) => ({ executionId, tenantId: 'default', seq: 4, snapshot: '{"erased":true}', atMs: AT_MS });

export function erasureContract(database: () => TestDatabase<CoreStore>): void {
  describe('originals of redacted events', () => {
    it('are written with their commit, and not without it', async () => {
      const store = await database().open();
      await store.commit(batch(started('exec_1'), started('exec_2')));
      const late = step('exec_1', 9, { redaction: { originals: [original(10)], ended: { atMs: AT_MS, removeAtMs: null } } });
      expect((await store.commit(batch(ended('exec_2'), late)))[1]?.reason).toBe('sequence');
      expect(await store.erasures.originals('exec_1', 1, 99)).toEqual([original(1), original(2)]);
      expect(await store.erasures.originals('exec_2', 2, 4)).toEqual([original(2), original(4, '"ü\\u0000 \\ud800"')]);
      expect(await store.erasures.originals('exec_2', 3, 3)).toEqual([]);
      expect(await store.erasures.pending({ after: '', limit: 9 })).toEqual([{ executionId: 'exec_2', tenantId: 'default' }]);
      expect(await store.erasures.pending({ after: 'exec_2', limit: 9 })).toEqual([]);
    });

    it('are erased with the checkpoints, which a snapshot replaces', async () => {
      const store = await database().open();
      await store.commit(batch(started('exec_1', { checkpoint: checkpoint('{"secret":1}') }), started('exec_2')));
      await store.commit(batch(ended('exec_1')));
      expect(await store.erasures.erase([erasure('exec_1')])).toEqual(['done']);
      expect(await store.erasures.originals('exec_1', 1, 99)).toEqual([]);
      expect(await store.erasures.originals('exec_2', 1, 99)).toHaveLength(2);
      expect(await store.checkpoint('exec_1')).toEqual({ text: '{"erased":true}', seq: 4 });
      expect(await store.checkpoint('exec_1', 3)).toBeNull();
      expect(await store.erasures.pending({ after: '', limit: 9 })).toEqual([]);
      expect(await store.erasures.erase([{ ...erasure('exec_1'), snapshot: '{"again":true}' }])).toEqual(['done']);
      expect(await store.checkpoint('exec_1')).toEqual({ text: '{"erased":true}', seq: 4 });
      expect((await store.verifyAudit()).fault).toBeNull();
    });

    it('are kept while a message to the parent is not delivered', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_p'), started('exec_1', { create: { parentId: 'exec_p' } })));
      await store.commit(batch(ended('exec_1', { send: [{ toExecutionId: 'exec_p', message: '{}' }] })));
      expect(await store.erasures.erase([erasure('exec_1')])).toEqual(['needed']);
      expect(await store.erasures.originals('exec_1', 1, 99)).toHaveLength(3);
      const [message] = await store.inbox({ after: 0, limit: 9 });
      await store.commit(batch(step('exec_p', 2, { consumed: [message?.id ?? 0] })));
      expect(await store.erasures.erase([erasure('exec_1')])).toEqual(['done']);
    });
  });
}

/** What only engines with tables do. */
export function erasureOfRowsContract(database: () => TestDatabase): void {
  describe('erasure', () => {
    it('takes several transactions for many originals', async () => {
      const store = await database().open();
      const originals = Array.from({ length: 1_100 }, (_, i) => original(i + 1));
      await store.commit(batch(startExecution('exec_1', { redaction: { originals, ended: { atMs: AT_MS, removeAtMs: null } } })));
      for (const result of ['more', 'more', 'done'])
        expect(await store.erasures.erase([{ ...erasure('exec_1'), seq: 2 }])).toEqual([result]);
    });

    it('forgets the digests of the requests that the execution has taken, but not their keys', async () => {
      const store = await database().open();
      const scopes = ['executions', 'external-event:exec_0', 'update:exec_1', 'event-by-key:["w","k"]'];
      await store.commit({ atMs: AT_MS, units: [unit([started('exec_1')], request('k'))] });
      for (const scope of scopes.slice(1)) await store.commit({ atMs: AT_MS, units: [unit([], request('k', { scope }))] });
      await store.commit({ atMs: AT_MS, units: [unit([started('exec_2')], request('k2', { executionId: 'exec_2' }))] });
      await store.commit(batch(ended('exec_1')));
      await store.erasures.erase([erasure('exec_1')]);
      const { response } = request('k');
      for (const scope of scopes)
        expect(await store.tenant('default').idempotency(scope, 'k')).toMatchObject({ requestHash: '', response });
      expect(await store.tenant('default').idempotency('executions', 'k2')).toMatchObject({ requestHash: 'h1' });
    });

    it('removes executions when their data policies say so', async () => {
      const store = await database().open();
      const until = (removeAtMs: number): Change => ({ redaction: { originals: [], ended: { atMs: AT_MS, removeAtMs } } });
      await store.commit(batch(started('exec_1'), started('exec_2'), started('exec_3')));
      await store.commit(batch(ended('exec_1', until(AT_MS + 10)), ended('exec_2', until(AT_MS + 5)), ended('exec_3')));
      expect(await store.retention.nextExpiring('')).toBe('default');
      expect(await store.retention.nextExpiring('default')).toBeNull();
      const context = { tenantId: 'default', atMs: AT_MS + 6, actorId: 'rt', actorType: 'system', request: null } as const;
      const request = { after: null, endedBeforeMs: AT_MS + 6, reason: 'data_policy' } as const;
      expect((await store.retention.remove(request, context)).removed).toEqual(['exec_2']);
      expect(await store.execution('exec_2')).toBeNull();
      expect(await store.erasures.originals('exec_2', 1, 99)).toEqual([]);
      expect(await store.execution('exec_3')).not.toBeNull();
      expect((await store.retention.remove({ ...request, endedBeforeMs: AT_MS + 11 }, context)).removed).toEqual(['exec_1']);
      expect(await store.retention.nextExpiring('')).toBeNull();
      expect((await store.verifyAudit()).fault).toBeNull();
    });
  });
}

import { describe, expect, it } from 'vitest';
import type { ApprovalRow, ApprovalWrite } from '../../../store/port/resources/approvals.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { AT_MS, batch, event, startExecution, step } from '../writes.ts';

type Put = Extract<ApprovalWrite, { op: 'put' }>;

function asked(seq: number, change: Partial<Put> = {}): Put {
  return {
    op: 'put',
    workflowId: 'refund',
    seq,
    nodeId: 'review',
    activation: 1,
    item: null,
    requestedAtMs: AT_MS + seq,
    expiresAtMs: null,
    decidedAtMs: null,
    decidedSeq: null,
    ...change,
  };
}

const rowOf = (executionId: string, { op: _op, ...row }: Put, tenantId = 'default'): ApprovalRow => ({
  ...row,
  executionId,
  tenantId,
});

export function approvalContract(database: () => TestDatabase<CoreStore>): void {
  describe('approvals', () => {
    it('are listed with the longest wait first until they are decided or withdrawn', async () => {
      const store = await database().open();
      const late = asked(2, { requestedAtMs: AT_MS + 50, expiresAtMs: AT_MS + 99 });
      const writes = [
        startExecution('exec_1', { approvals: [late] }),
        startExecution('exec_2', { approvals: [asked(1), asked(2, { nodeId: 'other' })] }),
        startExecution('exec_3', { approvals: [asked(2)], create: { workflowId: 'other' } }),
        startExecution('exec_4', { approvals: [asked(2)], tenantId: 'acme' }),
      ];
      expect(await store.commit(batch(...writes))).toEqual([null, null, null, null]);
      const pending = (workflowId?: string) =>
        store.approvals.page('default', { status: 'pending', limit: 10, ...(workflowId === undefined ? {} : { workflowId }) });
      const all = [
        rowOf('exec_2', asked(1)),
        rowOf('exec_2', asked(2, { nodeId: 'other' })),
        rowOf('exec_3', asked(2)),
        rowOf('exec_1', late),
      ];
      expect(await pending()).toEqual(all);
      expect(await store.approvals.countPending('default')).toBe(4);
      expect(await store.approvals.countPending('default', 'refund')).toBe(4);
      expect(await store.approvals.countPending('default', 'none')).toBe(0);
      expect(await pending('none')).toEqual([]);
      expect((await store.approvals.page('acme', { status: 'pending', limit: 10 })).map((row) => row.executionId)).toEqual([
        'exec_4',
      ]);
      const decided = asked(2, { nodeId: 'other', decidedAtMs: AT_MS + 70, decidedSeq: 3 });
      await store.commit(batch(step('exec_2', 2, { approvals: [decided, { op: 'remove', seq: 1 }] })));
      expect(await pending()).toEqual([rowOf('exec_3', asked(2)), rowOf('exec_1', late)]);
      expect(await store.approvals.countPending('default')).toBe(2);
      expect(await store.approvals.page('default', { status: 'decided', limit: 10 })).toEqual([rowOf('exec_2', decided)]);
      const page = { status: 'decided', limit: 10, workflowId: 'refund' } as const;
      expect(await store.approvals.page('default', page)).toEqual([rowOf('exec_2', decided)]);
    });

    it('are read in pages', async () => {
      const store = await database().open();
      const approvals = [1, 2, 3].map((seq) => asked(seq, { requestedAtMs: AT_MS, decidedAtMs: AT_MS, decidedSeq: seq + 3 }));
      await store.commit(batch(startExecution('exec_1', { approvals, events: [1, 2, 3].map((seq) => event(seq)) })));
      const seqs: number[] = [];
      for (let after: ApprovalRow | undefined; ; ) {
        const position = after === undefined ? {} : { after: { atMs: AT_MS, executionId: 'exec_1', seq: after.seq } };
        const [row] = await store.approvals.page('default', { status: 'decided', limit: 1, ...position });
        if (row === undefined) break;
        seqs.push(row.seq);
        after = row;
      }
      expect(seqs).toEqual([3, 2, 1]);
    });

    it('begin to wait anew under the same sequence', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1', { approvals: [asked(2)] })));
      await store.commit(
        batch(step('exec_1', 2, { approvals: [asked(2, { requestedAtMs: AT_MS + 9, expiresAtMs: AT_MS + 10 })] })),
      );
      expect(await store.approvals.page('default', { status: 'pending', limit: 10 })).toMatchObject([
        { seq: 2, requestedAtMs: AT_MS + 9, expiresAtMs: AT_MS + 10 },
      ]);
    });

    it('are not written with a commit that is rejected', async () => {
      const store = await database().open();
      await store.commit(batch(startExecution('exec_1')));
      const [rejection] = await store.commit(batch(step('exec_1', 7, { approvals: [asked(2)] })));
      expect(rejection?.reason).toBe('sequence');
      expect(await store.approvals.page('default', { status: 'pending', limit: 10 })).toEqual([]);
    });
  });
}

import { describe, expect, it } from 'vitest';
import { OutcomeCounter } from '../../src/control/jobs/outcomes.ts';
import type { JobRow, RetriedRow } from '../../store/port/resources/jobs.ts';
import type { Store } from '../../store/port/store.ts';

const JOB = { id: 'job_1', tenantId: 'default', action: 'retry', succeeded: 2_500 } as JobRow;

function row(n: number, status = 'completed'): RetriedRow {
  const executionId = `exec_${String(n).padStart(5, '0')}`;
  const error = status === 'failed' ? `a: order ${n}` : null;
  return { executionId, status, workflowId: 'refund', error, updatedAtMs: n, completedAtMs: n };
}

/** A counter over rows, newest first, whose every page takes `pageMs` on its clock. */
function counting(rows: readonly RetriedRow[], pageMs = 0) {
  const counter = { pages: 0, nowMs: 0 };
  const retried: Store['jobs']['retried'] = async (_tenantId, _jobId, { before, limit }) => {
    counter.pages += 1;
    counter.nowMs += pageMs;
    return rows.filter(({ executionId }) => before === null || executionId < before).slice(0, limit);
  };
  const clock = { nowMs: () => counter.nowMs } as ConstructorParameters<typeof OutcomeCounter>[0]['clock'];
  const outcomes = new OutcomeCounter({ store: { jobs: { retried } } as unknown as Store, clock });
  return { counter, outcomes };
}

const statuses = (n: number): string => (n % 10 === 0 ? 'failed' : n === 7 ? 'pending' : 'completed');
const ROWS = Array.from({ length: 2_400 }, (_, at) => row(2_400 - at, statuses(2_400 - at)));

describe('the outcomes of a retry', () => {
  it('are counted over all pages; what is no longer stored was removed', async () => {
    const { outcomes } = counting(ROWS);
    expect(await outcomes.outcomes(JOB)).toMatchObject({
      completed: 2_159,
      failed: 240,
      running: 1,
      removed: 100,
      newestRunning: 'exec_00007',
      errors: [{ error: 'a: order #', count: 240, newest: { executionId: 'exec_02400' } }],
    });
  });

  it('are counted once for simultaneous requests', async () => {
    const { counter, outcomes } = counting(ROWS);
    const [first, second] = await Promise.all([outcomes.outcomes(JOB), outcomes.outcomes(JOB)]);
    expect(first).toBe(second);
    expect(counter.pages).toBe(3);
    await outcomes.outcomes(JOB);
    expect(counter.pages).toBe(6);
  });

  it('are counted again after nine times as long as a slow count took', async () => {
    const { counter, outcomes } = counting(ROWS, 100);
    const first = await outcomes.outcomes(JOB);
    counter.nowMs += 2_699;
    expect(await outcomes.outcomes(JOB)).toBe(first);
    counter.nowMs += 1;
    await outcomes.outcomes(JOB);
    expect(counter.pages).toBe(6);
  });
});

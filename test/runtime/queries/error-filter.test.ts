import { describe, expect, it } from 'vitest';
import { pageWithError, slicesWithError } from '../../../src/runtime/queries/error-filter.ts';
import type { ExecutionSearch } from '../../../store/port/execution-search.ts';
import { batch, startExecution } from '../../store/writes.ts';
import { sqliteDatabase } from '../../support/stores.ts';

const TIMEOUT = 'charge: timeout after # ms';

/** `count` failed executions, of which every tenth timed out. */
async function failures(count: number): Promise<ExecutionSearch> {
  const store = await sqliteDatabase().open();
  const writes = Array.from({ length: count }, (_, index) => {
    const error = index % 10 === 0 ? `charge: timeout after ${index} ms` : 'charge: declined';
    return startExecution(idOf(index), { progress: { status: 'failed', error } });
  });
  await store.commit(batch(...writes, startExecution('exec_z', { progress: { status: 'running' } })));
  return store.tenant('default');
}

function idOf(index: number): string {
  return `exec_${String(index).padStart(6, '0')}`;
}

describe('a page of executions with an error', () => {
  it('has those whose error differs in numbers alone, newest first', async () => {
    const search = await failures(100);
    const page = await pageWithError(search, { limit: 4 }, TIMEOUT);
    expect([page.rows.map(({ id }) => id), page.next]).toEqual([[90, 80, 70, 60].map(idOf), idOf(60)]);
    const rest = await pageWithError(search, { limit: 50, after: idOf(60) }, TIMEOUT);
    expect([rest.rows.map(({ id }) => id), rest.next]).toEqual([[50, 40, 30, 20, 10, 0].map(idOf), null]);
    const oldest = await pageWithError(search, { limit: 2, order: 'oldest', after: idOf(0) }, TIMEOUT);
    expect([oldest.rows.map(({ id }) => id), oldest.next]).toEqual([[10, 20].map(idOf), idOf(20)]);
  });

  it('is found by an error of the group as well', async () => {
    const page = await pageWithError(await failures(30), { limit: 10 }, 'charge: timeout after 7 ms');
    expect(page.rows.map(({ id }) => id)).toEqual([20, 10, 0].map(idOf));
    expect(await pageWithError(await failures(30), { limit: 10 }, 'charge: timeout')).toEqual({ rows: [], next: null });
  });

  it('ends early where there are few, and continues from there', async () => {
    const search = await failures(12_000);
    const ids: string[] = [];
    const pages: (string | null)[] = [];
    for (let after: string | undefined; ; ) {
      const page = await pageWithError(search, { limit: 1_000, ...(after === undefined ? {} : { after }) }, TIMEOUT);
      ids.push(...page.rows.map(({ id }) => id));
      pages.push(page.next);
      if (page.next === null) break;
      after = page.next;
    }
    expect(pages).toHaveLength(2);
    expect(ids).toEqual(Array.from({ length: 1_200 }, (_, index) => idOf(index * 10)).reverse());
  });
});

describe('all executions with an error', () => {
  it('are read in slices, each once', async () => {
    const found: string[] = [];
    let examined = 0;
    for await (const slice of slicesWithError(await failures(2_345), { statuses: ['failed'] }, { error: TIMEOUT })) {
      found.push(...slice.matches.map(({ id }) => id));
      examined += slice.examined;
    }
    expect([found.length, new Set(found).size, examined]).toEqual([235, 235, 2_345]);
  });
});

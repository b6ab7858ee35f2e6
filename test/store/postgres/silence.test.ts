import { describe, expect, it } from 'vitest';
import { openLine } from '../../support/line.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { batch, begin } from '../writes.ts';

const server = postgresServer();

describe('a database that does not answer any more', () => {
  it('does not hold a store that is closed: what was under way is told that its fate is not known', async () => {
    const database = postgresDatabase(server);
    const line = await openLine(server().port);
    const failures: Error[] = [];
    const failed = (error: Error): void => {
      failures.push(error);
    };
    const store = await database.open({ url: line.through(await database.url()), writer: 'rt_1', failed });
    store.watch(() => {});
    expect(await store.commit(batch(begin('exec_1')))).toEqual([null]);
    line.hush();
    const committing = store.commit(batch(begin('exec_2')));
    const reading = store.execution('exec_1');
    const away = expect(Promise.allSettled([committing, reading])).resolves.toMatchObject([
      { status: 'rejected', reason: { code: 'store_unavailable' } },
      { status: 'rejected', reason: { code: 'store_unavailable' } },
    ]);
    const startedMs = performance.now();
    await store.close();
    // A statement may take thirty seconds.
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    line.cut();
    await away;
  });
});

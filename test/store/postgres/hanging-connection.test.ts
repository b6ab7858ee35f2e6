import { describe, expect, it } from 'vitest';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';
import { batch, startExecution } from '../writes.ts';

const server = postgresServer();

describe('a database that stops answering', () => {
  it('does not delay closing the store; operations in progress reject as unavailable', async () => {
    const database = postgresDatabase(server);
    const line = await openTcpProxy(server().port);
    const failures: Error[] = [];
    const failed = (error: Error): void => {
      failures.push(error);
    };
    const store = await database.open({ url: line.via(await database.url()), writer: 'rt_1', onError: failed });
    store.subscribe(() => {});
    expect(await store.commit(batch(startExecution('exec_1')))).toEqual([null]);
    line.hang();
    const committing = store.commit(batch(startExecution('exec_2')));
    const reading = store.execution('exec_1');
    const away = expect(Promise.allSettled([committing, reading])).resolves.toMatchObject([
      { status: 'rejected', reason: { code: 'store_unavailable' } },
      { status: 'rejected', reason: { code: 'store_unavailable' } },
    ]);
    const startedMs = performance.now();
    await store.close();
    // The statement timeout is thirty seconds.
    expect(performance.now() - startedMs).toBeLessThan(20_000);
    line.cut();
    await away;
  });
});

import { describe, expect, it } from 'vitest';
import type { StoreNotification } from '../../../store/port/notifications.ts';
import { waitUntil } from '../../support/cluster.ts';
import { postgresDatabase, privatePostgresServer } from '../../support/postgres.ts';
import { batch, startExecution, step } from '../writes.ts';

const server = privatePostgresServer();

describe('a database that lost commits', () => {
  it('is detected by the next commit; later commits continue from its state', async () => {
    const database = postgresDatabase(server);
    const store = await database.open({ writer: 'rt_1' });
    await store.commit(batch(startExecution('exec_1')));
    const putBack = await database.backUp();
    await waitUntil(async () => (await store.commit(batch(step('exec_1', 2))).catch(() => null)) !== null);
    await store.commit(batch(step('exec_1', 4)));
    await putBack();
    let failure: unknown = null;
    await waitUntil(async () => {
      failure = await store.commit(batch(step('exec_1', 6))).catch((error: unknown) => error);
      return String(failure).includes('earlier state');
    });
    expect(failure).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('2 commits of rt_1') });
    expect(await store.commit(batch(step('exec_1', 6)))).toMatchObject([{ reason: 'sequence' }]);
    expect(await store.commit(batch(step('exec_1', 2)))).toEqual([null]);
    expect((await store.verifyAudit()).fault).toBeNull();
  });

  it('is detected by a process that writes nothing', async () => {
    const database = postgresDatabase(server);
    const store = await database.open({ writer: 'rt_1' });
    const notifications: StoreNotification[] = [];
    store.subscribe((notification) => notifications.push(notification));
    await waitUntil(() => notifications.length > 0);
    const putBack = await database.backUp();
    await waitUntil(async () => (await store.commit(batch(startExecution('exec_1'))).catch(() => null)) !== null);
    await putBack();
    await waitUntil(() => notifications.some((notification) => notification.commitsLost && notification.gap));
    expect(await store.execution('exec_1')).toBeNull();
  });

  it('is not confused with one that was only unreachable', async () => {
    const database = postgresDatabase(server);
    const failures: Error[] = [];
    const failed = (error: Error): void => {
      failures.push(error);
    };
    const store = await database.open({ writer: 'rt_1', onError: failed });
    const notifications: StoreNotification[] = [];
    store.subscribe((notification) => notifications.push(notification));
    await store.commit(batch(startExecution('exec_1')));
    await waitUntil(() => notifications.length > 0);
    await server().restart();
    await waitUntil(async () => (await store.commit(batch(step('exec_1', 2))).catch(() => null)) !== null);
    await waitUntil(() => notifications.length > 1);
    expect(await store.commit(batch(step('exec_1', 4)))).toEqual([null]);
    expect(notifications.filter((notification) => notification.commitsLost)).toEqual([]);
    expect(failures.filter(({ message }) => message.includes('earlier state'))).toEqual([]);
  });
});

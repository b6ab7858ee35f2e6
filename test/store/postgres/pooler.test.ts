import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoreNotification } from '../../../store/port/notifications.ts';
import { type PgBouncer, startPgBouncer } from '../../support/pgbouncer.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { requires } from '../../support/requirements.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { auditContract } from '../contract/audit.ts';
import { commitContract } from '../contract/commit.ts';
import { workContract } from '../contract/work.ts';
import { batch, startExecution, step } from '../writes.ts';

const server = postgresServer();
let pooler: PgBouncer;
beforeAll(async () => {
  pooler = await startPgBouncer(server().port);
});
afterAll(() => pooler.stop());

/** Connections are shared between transactions, except the one for LISTEN. */
function pooledDatabase(): TestDatabase {
  const direct = postgresDatabase(server);
  return {
    async open() {
      const listenUrl = await direct.url();
      return direct.open({ url: listenUrl.replace(`:${server().port}/`, `:${pooler.port}/`), listenUrl });
    },
  };
}

describe('through a pooler in transaction mode', requires('pgbouncer'), () => {
  commitContract(pooledDatabase);
  workContract(pooledDatabase);
  auditContract(pooledDatabase);

  it('other processes are notified of commits', async () => {
    const one = pooledDatabase();
    const [teller, listener] = [await one.open(), await one.open()];
    const notifications: StoreNotification[] = [];
    let wake = (): void => {};
    const stop = listener.subscribe((notification) => {
      notifications.push(notification);
      wake();
    });
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
    };
    await until(() => notifications.some((notification) => notification.gap));
    await teller.commit(batch(startExecution('exec_1')));
    await teller.commit(batch(step('exec_1', 2)));
    await until(() =>
      notifications.some((notification) => notification.executions.some(({ id, seq }) => id === 'exec_1' && seq === 4)),
    );
    stop();
    expect(await teller.execution('exec_1')).toMatchObject({ seq: 4 });
  });
});

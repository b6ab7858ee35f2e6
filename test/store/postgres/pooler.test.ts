import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Notice } from '../../../store/notices.ts';
import { type Pooler, startPooler } from '../../support/pgbouncer.ts';
import { type PostgresServer, postgresDatabase, startPostgres } from '../../support/postgres.ts';
import type { TestDatabase } from '../../support/stores.ts';
import { auditContract } from '../contract/audit.ts';
import { commitContract } from '../contract/commit.ts';
import { workContract } from '../contract/work.ts';
import { batch, begin, step } from '../writes.ts';

let server: PostgresServer;
let pooler: Pooler;
beforeAll(async () => {
  server = await startPostgres();
  pooler = await startPooler(server.port);
});
afterAll(async () => {
  await pooler.stop();
  server.stop();
});

/** Its connections are shared between transactions; only listening has one of its own. */
function pooledDatabase(): TestDatabase {
  const direct = postgresDatabase(() => server);
  return {
    async open() {
      const listenUrl = await direct.url();
      return direct.open({ url: listenUrl.replace(`:${server.port}/`, `:${pooler.port}/`), listenUrl });
    },
  };
}

describe('through a pooler in transaction mode', () => {
  commitContract(pooledDatabase);
  workContract(pooledDatabase);
  auditContract(pooledDatabase);

  it('others hear of what is committed', async () => {
    const one = pooledDatabase();
    const [teller, listener] = [await one.open(), await one.open()];
    const heard: Notice[] = [];
    let wake = (): void => {};
    const stop = listener.watch((notice) => {
      heard.push(notice);
      wake();
    });
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
    };
    await until(() => heard.some((notice) => notice.gap));
    await teller.commit(batch(begin('exec_1')));
    await teller.commit(batch(step('exec_1', 2)));
    await until(() => heard.some((notice) => notice.executions.some(({ id, seq }) => id === 'exec_1' && seq === 4)));
    stop();
    expect(await teller.execution('exec_1')).toMatchObject({ seq: 4 });
  });
});

import { describe, expect, it } from 'vitest';
import { openCluster, waitUntil, waitUntilWithClock } from '../../support/cluster.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { openTcpProxy } from '../../support/tcp-proxy.ts';

const server = postgresServer();

describe('a runtime that stops while the database is unreachable', () => {
  it('records its stop once the database is back', async () => {
    const database = postgresDatabase(server);
    const line = await openTcpProxy(server().port);
    const { join } = openCluster(database);
    const [leaving, staying] = [await join({ url: line.via(await database.url()) }), await join()];
    line.cut();
    const refused = line.refused();
    const closing = leaving.runtime.close(0);
    await waitUntil(() => line.refused() > refused + 1);
    line.restore();
    await waitUntilWithClock(leaving, () => staying.store.stoppedCleanly(leaving.runtime.id));
    await closing;
  });

  it('stops anyway when the database is not back in time', async () => {
    const database = postgresDatabase(server);
    const line = await openTcpProxy(server().port);
    const leaving = await openCluster(database).join({ url: line.via(await database.url()) });
    line.cut();
    let isOver = false;
    const closing = leaving.close().finally(() => {
      isOver = true;
    });
    await waitUntil(() => {
      leaving.clock.advance(500);
      return isOver;
    });
    await closing;
    expect(leaving.errors.at(-1)).toMatchObject({ code: 'store_unavailable' });
  });
});

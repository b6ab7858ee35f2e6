import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFleet, soon } from '../../support/fleet.ts';
import { type PostgresServer, postgresDatabase, startPostgres } from '../../support/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

describe('a runtime that stops while the database is away', () => {
  it('says so once it is back', async () => {
    const { join } = openFleet(postgresDatabase(() => server));
    const [leaving, staying] = [await join(), await join()];
    await server.shutDown();
    const closing = leaving.runtime.close(0);
    let isOver = false;
    void closing.finally(() => {
      isOver = true;
    });
    await soon(() => leaving.errors.length > 1);
    await server.startUp();
    await soon(() => {
      leaving.clock.advance(50);
      return isOver;
    });
    await closing;
    await soon(async () => {
      const running = await staying.store.runtimes(0).catch(() => [leaving.runtime.id]);
      return !running.includes(leaving.runtime.id);
    });
    expect(await staying.store.stoppedCleanly(leaving.runtime.id)).toBe(true);
  });

  it('ends all the same when it does not come back in time', async () => {
    const { join } = openFleet(postgresDatabase(() => server));
    const leaving = await join();
    await server.shutDown();
    const closing = leaving.close(0);
    let isOver = false;
    void closing.finally(() => {
      isOver = true;
    });
    await soon(() => {
      leaving.clock.advance(500);
      return isOver;
    });
    await closing;
    expect(leaving.errors.length).toBeGreaterThan(0);
    await server.startUp();
  });
});

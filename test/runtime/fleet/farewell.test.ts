import { describe, expect, it } from 'vitest';
import { inTime, openFleet, soon } from '../../support/fleet.ts';
import { openLine } from '../../support/line.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';

const server = postgresServer();

describe('a runtime that stops while the database is away', () => {
  it('says so once it is back', async () => {
    const database = postgresDatabase(server);
    const line = await openLine(server().port);
    const { join } = openFleet(database);
    const [leaving, staying] = [await join({ url: line.through(await database.url()) }), await join()];
    line.cut();
    const refused = line.refused();
    const closing = leaving.runtime.close(0);
    await soon(() => line.refused() > refused + 1);
    line.mend();
    await inTime(leaving, () => staying.store.stoppedCleanly(leaving.runtime.id));
    await closing;
  });

  it('ends all the same when it does not come back in time', async () => {
    const database = postgresDatabase(server);
    const line = await openLine(server().port);
    const leaving = await openFleet(database).join({ url: line.through(await database.url()) });
    line.cut();
    let isOver = false;
    const closing = leaving.close().finally(() => {
      isOver = true;
    });
    await soon(() => {
      leaving.clock.advance(500);
      return isOver;
    });
    await closing;
    expect(leaving.errors.at(-1)).toMatchObject({ code: 'store_unavailable' });
  });
});

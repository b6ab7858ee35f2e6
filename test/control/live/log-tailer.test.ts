import { describe, expect, it } from 'vitest';
import { LogTailer } from '../../../src/control/live/log-tailer.ts';
import { batch, startExecution } from '../../store/writes.ts';
import { FakeClock } from '../../support/clock.ts';
import { sqliteDatabase } from '../../support/stores.ts';

describe('the end of the log that everybody waits at', () => {
  it('lets go of those who stand behind it, once the database has gone back, and keeps nobody else waiting', async () => {
    const store = await sqliteDatabase().open();
    const errors: unknown[] = [];
    const tail = new LogTailer(store.log, { clock: new FakeClock(), onError: (error) => errors.push(error) });
    const { signal } = new AbortController();
    const beyond = '0.99';
    expect(await tail.next('default', beyond, signal)).toBe(beyond);
    const end = await store.log.end();
    const woken = tail.next('default', end, signal);
    await store.commit(batch(startExecution('exec_1')));
    tail.committed();
    expect(await woken).toBe(end);
    expect(errors).toEqual([]);
    await tail.close();
  });
});

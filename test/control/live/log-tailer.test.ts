import { describe, expect, it } from 'vitest';
import { LogTailer } from '../../../src/control/live/log-tailer.ts';
import { batch, startExecution } from '../../store/writes.ts';
import { FakeClock } from '../../support/clock.ts';
import { sqliteDatabase } from '../../support/stores.ts';

describe('the log tailer', () => {
  it('wakes followers beyond the end of a restored log, and still wakes the others', async () => {
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

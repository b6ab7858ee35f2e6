import { describe, expect, it } from 'vitest';
import { Audit } from '../../src/control/audit.ts';
import { batch, startExecution } from '../store/writes.ts';
import { FakeClock } from '../support/clock.ts';
import { sqliteDatabase } from '../support/stores.ts';

describe('audit verification', () => {
  it('runs one verification at a time; calls during one share the next', async () => {
    const store = await sqliteDatabase().open();
    const audit = new Audit({ store, clock: new FakeClock() });
    for (let index = 0; index < 20; index += 1) await store.commit(batch(startExecution(`exec_${index}`)));
    const first = audit.verify();
    await store.commit(batch(startExecution('exec_late')));
    const [second, third] = [audit.verify(), audit.verify()];
    expect(third).toBe(second);
    expect(await first).toMatchObject({ blocks: 20, fault: null });
    expect(await second).toMatchObject({ blocks: 21, fault: null });
    expect(await audit.verify()).toMatchObject({ blocks: 21, fault: null });
  });

  it('aborts verifications and exports when the server closes', async () => {
    const store = await sqliteDatabase().open();
    const audit = new Audit({ store, clock: new FakeClock() });
    for (let index = 0; index < 20; index += 1) await store.commit(batch(startExecution(`exec_${index}`)));
    const under = expect(audit.verify()).rejects.toMatchObject({ code: 'shutting_down' });
    const next = expect(audit.verify()).rejects.toMatchObject({ code: 'shutting_down' });
    const lines = audit.export('default', 1)[Symbol.asyncIterator]();
    await lines.next();
    const line = expect(lines.next()).rejects.toMatchObject({ code: 'shutting_down' });
    await audit.close();
    await Promise.all([under, next, line]);
  });
});

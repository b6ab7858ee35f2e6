import { describe, expect, it } from 'vitest';
import type { Notice } from '../../../store/notices.ts';
import { soon } from '../../support/fleet.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { batch, begin, step } from '../writes.ts';

const server = postgresServer();

describe('a database that goes back to an earlier state', () => {
  it('is noticed by the commit that comes next; then it is worked on as it is', async () => {
    const database = postgresDatabase(server);
    const store = await database.open({ writer: 'rt_1' });
    await store.commit(batch(begin('exec_1')));
    const putBack = await database.backUp();
    await soon(async () => (await store.commit(batch(step('exec_1', 2))).catch(() => null)) !== null);
    await store.commit(batch(step('exec_1', 4)));
    await putBack();
    let refusal: unknown = null;
    await soon(async () => {
      refusal = await store.commit(batch(step('exec_1', 6))).catch((error: unknown) => error);
      return String(refusal).includes('earlier state');
    });
    expect(refusal).toMatchObject({ code: 'store_unavailable', message: expect.stringContaining('2 commits of rt_1') });
    expect(await store.commit(batch(step('exec_1', 6)))).toMatchObject([{ reason: 'sequence' }]);
    expect(await store.commit(batch(step('exec_1', 2)))).toEqual([null]);
    expect((await store.verifyAudit()).fault).toBeNull();
  });

  it('is noticed by whoever has nothing to write', async () => {
    const database = postgresDatabase(server);
    const store = await database.open({ writer: 'rt_1' });
    const heard: Notice[] = [];
    store.watch((notice) => heard.push(notice));
    await soon(() => heard.length > 0);
    const putBack = await database.backUp();
    await soon(async () => (await store.commit(batch(begin('exec_1'))).catch(() => null)) !== null);
    await putBack();
    await soon(() => heard.some((notice) => notice.setBack && notice.gap));
    expect(await store.execution('exec_1')).toBeNull();
  });

  it('is not one that has only been away', async () => {
    const database = postgresDatabase(server);
    const failures: Error[] = [];
    const failed = (error: Error): void => {
      failures.push(error);
    };
    const store = await database.open({ writer: 'rt_1', failed });
    const heard: Notice[] = [];
    store.watch((notice) => heard.push(notice));
    await store.commit(batch(begin('exec_1')));
    await soon(() => heard.length > 0);
    await server().restart();
    await soon(async () => (await store.commit(batch(step('exec_1', 2))).catch(() => null)) !== null);
    await soon(() => heard.length > 1);
    expect(await store.commit(batch(step('exec_1', 4)))).toEqual([null]);
    expect(heard.filter((notice) => notice.setBack)).toEqual([]);
    expect(failures.filter(({ message }) => message.includes('earlier state'))).toEqual([]);
  });
});

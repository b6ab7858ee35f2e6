import { describe, expect, it } from 'vitest';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { batch, startExecution } from '../writes.ts';

const id = (end: string): string => `exec_${end.padStart(32, '0')}`;

export function executionIdContract(database: () => TestDatabase<CoreStore>): void {
  describe('a search for ids', () => {
    it('finds executions of the tenant by the end of their id, else by any part of it, newest first', async () => {
      const store = await database().open();
      await store.commit(
        batch(
          startExecution(id('1a2b7000ffff')),
          startExecution(id('2a2b700011112222')),
          startExecution(id('1a2b70002222')),
          startExecution(id('9a2b70002222'), { tenantId: 'acme' }),
        ),
      );
      const search = (part: string, limit = 10, after?: string) =>
        store.tenant('default').searchIds({ part, limit, ...(after === undefined ? {} : { after }) });
      expect(await search('ffff')).toEqual({ ids: [id('1a2b7000ffff')], next: null });
      expect(await search('2222')).toEqual({ ids: [id('2a2b700011112222'), id('1a2b70002222')], next: null });
      expect(await search('a2b7000')).toEqual({
        ids: [id('2a2b700011112222'), id('1a2b7000ffff'), id('1a2b70002222')],
        next: null,
      });
      expect(await search('a2b7000', 1)).toEqual({ ids: [id('2a2b700011112222')], next: id('2a2b700011112222') });
      expect((await search('a2b7000', 1, id('2a2b700011112222'))).ids).toEqual([id('1a2b7000ffff')]);
      expect(await search('dddd')).toEqual({ ids: [], next: null });
      expect((await store.tenant('acme').searchIds({ part: '2222', limit: 5 })).ids).toEqual([id('9a2b70002222')]);
    });
  });
}

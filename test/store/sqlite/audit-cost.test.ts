import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { SLICE_BYTES } from '../../../store/log/entry.ts';
import { slicesOf } from '../../../store/sqlite/audit/slices.ts';
import { sqliteDatabase } from '../../support/stores.ts';
import { AT_MS, batch, event, startExecution, step } from '../writes.ts';

const TYPE = 'node_completed';
const ENTRIES = 20;
const BYTES = 1_000_000;

describe('a search of the audit log by type', () => {
  it.each<[string, { readonly executionId?: string }, string]>([
    ['a tenant', {}, 'at_ms'],
    ['an execution', { executionId: 'exec_1' }, 'seq'],
  ])('reads entries of %s in slices of bytes, and each entry once', async (_name, of, column) => {
    const one = sqliteDatabase();
    const store = await one.open();
    const large = (seq: number) => ({ events: [event(seq, { atMs: AT_MS + seq, data: { output: 'x'.repeat(BYTES) } })] });
    await store.commit(batch(startExecution('exec_1', large(1))));
    for (let seq = 1; seq < ENTRIES; seq += 1) await store.commit(batch(step('exec_1', seq, large(seq + 1))));
    const db = new Database(one.path, { readonly: true });
    const bytes = db
      .prepare<[object], number>(
        `SELECT total(octet_length(body)) FROM log_entries WHERE ${column} > @after AND ${column} <= @until`,
      )
      .pluck();
    const slices = slicesOf(db, 'default', { ...of, type: TYPE }, null);
    const counts: number[] = [];
    for (let slice = slices.at(slices.newest); slice !== null; slice = slices.at(slice.after)) {
      expect(bytes.get(slice)).toBeLessThan(SLICE_BYTES + 1.1 * BYTES);
      counts.push(slices.count(slice));
    }
    db.close();
    expect(counts.reduce((sum, count) => sum + count)).toBe(ENTRIES);
    expect(Math.max(...counts)).toBeGreaterThan(1);
  });
});

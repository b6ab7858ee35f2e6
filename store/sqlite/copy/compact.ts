import { resolve } from 'node:path';
import Database from 'better-sqlite3';
import { CopyError, type CopyReceipt } from '../../port/copy.ts';
import { countRows, countSamePositions, TABLES } from '../queries/copy.ts';
import { writeWhole } from '../whole-file.ts';
import type { SqliteSource } from './source.ts';

/**
 * Copies the source to a new file, without its free space. The file appears under its name once it is complete and synced to disk. Rejects with
 * `not_empty` when the file exists.
 */
export async function copyToSqlite(source: SqliteSource, path: string): Promise<CopyReceipt> {
  return writeWhole(resolve(path), async (partial) => vacuum(source.path, partial));
}

function vacuum(from: string, to: string): CopyReceipt {
  const db = new Database(from);
  try {
    db.prepare('VACUUM INTO ?').run(to);
    db.prepare('ATTACH ? AS copy').run(to);
    return compareCounts(db);
  } finally {
    db.close();
  }
}

/** Compares the row counts of both databases; entries must have kept their positions in the log. */
function compareCounts(db: Database.Database): CopyReceipt {
  const counts: Record<string, number> = {};
  const count = (schema: 'main' | 'copy', table: string): number =>
    db.prepare<[], number>(countRows(schema, table)).pluck().get() ?? 0;
  for (const table of db.prepare<[], string>(TABLES).pluck().all()) {
    counts[table] = count('copy', table);
    const there = count('main', table);
    if (there !== counts[table])
      throw new CopyError('copy_differs', `${table}: ${there} rows were to be copied, ${counts[table]} were`);
  }
  const same = db.prepare<[], number>(countSamePositions()).pluck().get() ?? 0;
  if (same !== counts.log_entries) throw new CopyError('copy_differs', 'log_entries: their positions in the log have changed');
  return counts;
}

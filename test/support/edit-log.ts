import Database from 'better-sqlite3';
import { decodeStored } from '../../store/log/decode.ts';
import type { StoredEvent } from '../../store/log/stored-event.ts';
import { LogNames } from '../../store/sqlite/log/log-names.ts';
import { logEntry, type StoredEntry } from '../../store/sqlite/log/stored-entry.ts';
import { encodeStored } from './encode-stored.ts';

const ENTRIES = `SELECT position, log_id AS logId, tenant, seq, events, at_ms AS atMs, actor, request, body FROM log_entries
  WHERE log_id IN (SELECT log_id FROM executions WHERE id LIKE ?) ORDER BY position`;
const INSERT_ENTRY = `INSERT INTO log_entries (position, log_id, seq, events, tenant, at_ms, actor, request, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/**
 * Changes stored events in an SQLite file without the store. `edit` gets each event of the execution ('%': of all), and
 * returns what takes its place; null = nothing.
 */
export function editLog(path: string, executionId: string, edit: (event: StoredEvent) => StoredEvent | null): void {
  const db = new Database(path);
  try {
    db.transaction(() => editEntries(db, executionId, edit))();
  } finally {
    db.close();
  }
}

function editEntries(db: Database.Database, executionId: string, edit: (event: StoredEvent) => StoredEvent | null): void {
  const names = new LogNames(db);
  const remove = db.prepare('DELETE FROM log_entries WHERE position = ?');
  const insert = db.prepare(INSERT_ENTRY);
  for (const row of db.prepare<[string], StoredEntry & { logId: number; tenant: number }>(ENTRIES).all(executionId)) {
    const before = decodeStored(logEntry(row, names));
    const edited = before.map(edit);
    if (edited.every((event, index) => event === before[index])) continue;
    remove.run(row.position);
    for (const entry of encodeStored(edited.filter((event) => event !== null))) {
      const { seq, events, atMs, request, body } = entry;
      const position = row.position - (row.seq - seq);
      insert.run(position, row.logId, seq, events, row.tenant, atMs, names.putActor(entry), request, body);
    }
  }
}

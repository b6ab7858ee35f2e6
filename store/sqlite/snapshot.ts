import Database from 'better-sqlite3';

/**
 * A separate connection, which reads the database as it is now while the other one goes on writing. A database in memory has one connection alone, so
 * it is copied.
 */
export function openSnapshot(db: Database.Database): Database.Database {
  const snapshot = new Database(db.memory ? db.serialize() : db.name, { readonly: true });
  snapshot.exec('BEGIN');
  return snapshot;
}

import type Database from 'better-sqlite3';
import { refuseUnreleased } from '../migrate.ts';
import { StoreError } from '../port/errors.ts';
import { FIRST_MIGRATION, IS_MIGRATED } from './queries/survey.ts';

/** "JamJ" in the file header: distinguishes JamJet databases from those of other programs. */
export const APPLICATION_ID = 0x4a616d4a;

/**
 * Throws `not_a_database` for a database of another program, or of an unreleased version. The owner is read in one statement, so that a database
 * which another process is creating is not mistaken for one.
 */
export function checkOwner(db: Database.Database): void {
  const row = db
    .prepare<[], { owner: number; tables: number }>(
      'SELECT (SELECT application_id FROM pragma_application_id) AS owner, count(*) AS tables FROM sqlite_schema',
    )
    .get();
  if (row !== undefined && row.tables > 0 && row.owner !== APPLICATION_ID) {
    throw new StoreError('not_a_database', 'the file is an SQLite database of another program');
  }
  if (db.prepare(IS_MIGRATED).get() !== undefined) refuseUnreleased(db.prepare<[], string>(FIRST_MIGRATION).pluck().get());
}

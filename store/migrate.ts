import { readdirSync, readFileSync } from 'node:fs';
import { StoreError } from './port/errors.ts';

/** One numbered step of a schema. A released migration never changes; later ones change what it created. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** What an engine provides to the migration runner. */
export interface MigrationTarget {
  /** Version of the last migration applied; 0 for an empty database. */
  version(): Promise<number>;
  /**
   * In one transaction that excludes other migrating processes: reads the version again, then applies and records the missing migrations. Applies
   * all of them or none.
   */
  upgrade(missing: (version: number) => readonly Migration[]): Promise<void>;
}

/** The migrations in a folder of files named `0001_init.sql`, `0002_….sql` …, in order. */
export function readMigrations(folder: URL): readonly Migration[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return files.sort().map((file, index) => {
    const [, digits, name] = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file) ?? [];
    const version = Number(digits);
    if (name === undefined || version !== index + 1) {
      throw new Error(
        `migration "${file}" must be named ${String(index + 1).padStart(4, '0')}_<name>.sql: numbers start at 1 and leave no gap`,
      );
    }
    return { version, name, sql: readFileSync(new URL(file, folder), 'utf8') };
  });
}

/**
 * Migrates a database to the newest schema. Safe when several processes start at once: one migrates, the others find it done. Throws
 * `schema_too_new`, and leaves the database untouched, when a later release has already migrated it.
 */
export async function migrate(target: MigrationTarget, migrations: readonly Migration[]): Promise<void> {
  const missing = (version: number): readonly Migration[] => {
    if (version > migrations.length) throw tooNew(version, migrations.length);
    return migrations.slice(version);
  };
  if (missing(await target.version()).length > 0) await target.upgrade(missing);
}

/** Names that the first migration had before 0.2.0, in versions that were never released. */
const UNRELEASED: readonly unknown[] = ['init', 'first_release'];

/** Throws `not_a_database` for a schema that no release has written. `first`: the name of its first migration. */
export function refuseUnreleased(first: string | null | undefined): void {
  if (UNRELEASED.includes(first))
    throw new StoreError(
      'not_a_database',
      'a version before 0.2.0 wrote the database, which no release reads: begin with a new one',
    );
}

function tooNew(version: number, newest: number): StoreError {
  return new StoreError(
    'schema_too_new',
    `the database has schema version ${version}, this release knows versions up to ${newest}: use the release that wrote it, or a later one`,
  );
}

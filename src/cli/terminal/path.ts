import { relative } from 'node:path';
import { type DatabaseConfig, databaseName } from '../../server/config.ts';

/** The path relative to `cwd` if it is inside, else unchanged. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** The name of a database, without its password. */
export function shownDatabase(database: DatabaseConfig, cwd: string): string {
  return database.engine === 'sqlite' ? shortPath(database.path, cwd) : databaseName(database);
}

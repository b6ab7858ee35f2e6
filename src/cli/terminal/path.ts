import { relative } from 'node:path';
import { type DatabaseConfig, databaseName } from '../../config.ts';

/** As a person would write it: relative where that is shorter. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** A database, without its password. */
export function shownDatabase(database: DatabaseConfig, cwd: string): string {
  return database.engine === 'sqlite' ? shortPath(database.path, cwd) : databaseName(database);
}

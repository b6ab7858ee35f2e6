import { Option } from 'clipanion';
import type { Config } from '../../server/config.ts';
import { settings } from '../input/settings.ts';
import { PrintingCommand } from './command.ts';

/** A command that opens the database itself, with or without a running server. */
export abstract class DatabaseCommand extends PrintingCommand {
  db = Option.String('--db', { description: 'The database (default DATABASE_URL, else .jamjet/runtime.db).' });

  /** The configuration with the database of `--db`. Throws a `Failure` if it is invalid. */
  protected config(): Config {
    return settings(this.context, { db: this.db });
  }
}

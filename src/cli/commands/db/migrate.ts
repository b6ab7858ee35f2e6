import { Option } from 'clipanion';
import { databaseName } from '../../../config.ts';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { settings } from '../../input/settings.ts';

class DbMigrateCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `Brings the schema to the newest version that this release knows, or makes the database. Every command that opens a database does the same;
this one is for the step before a deployment. All of it is applied, or nothing. A database that a newer release has changed is left alone.`,
    examples: [
      ['The configured database', '$0 db migrate'],
      ['A new PostgreSQL database', '$0 db migrate --db postgres://jamjet@db.internal/jamjet'],
    ],
  };

  db = Option.String('--db', { description: 'The database (default DATABASE_URL, else .jamjet/runtime.db).' });

  async execute(): Promise<number> {
    const config = settings(this.context, { db: this.db });
    const { migrateDatabase } = await import('../../../databases.ts');
    const { from, to } = await migrateDatabase(config);
    if (this.json) this.printJson({ database: databaseName(config.database), from_version: from, to_version: to });
    else if (from === to) this.print(`${this.paint.green('✓')} schema version ${to}: nothing to do`);
    else this.print(`${this.paint.green('✓')} schema version ${from} → ${to}`);
    return EXIT.ok;
  }
}

export { DbMigrateCommand as command };

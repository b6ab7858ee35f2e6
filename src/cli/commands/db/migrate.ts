import { databaseName } from '../../../server/config.ts';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT } from '../../failure.ts';

class DbMigrateCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: `Migrates the schema to the newest version of this release, or creates the database. Every command that opens a database does the same;
this one is meant for the step before a deployment. The migration is one transaction. A database that a newer release has
migrated is rejected.`,
    examples: [
      ['Migrate the configured database', '$0 db migrate'],
      ['Create the schema in a new PostgreSQL database', '$0 db migrate --db postgres://jamjet@db.internal/jamjet'],
    ],
  };

  async execute(): Promise<number> {
    const config = this.config();
    const { migrateDatabase } = await import('../../../server/databases.ts');
    const { from, to } = await migrateDatabase(config);
    if (this.json) this.printJson({ database: databaseName(config.database), from_version: from, to_version: to });
    else if (from === to) this.print(`${this.paint.green('✓')} schema version ${to}: up to date`);
    else this.print(`${this.paint.green('✓')} schema version ${from} → ${to}`);
    return EXIT.ok;
  }
}

export { DbMigrateCommand as command };

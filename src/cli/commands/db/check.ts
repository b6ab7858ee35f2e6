import { Option } from 'clipanion';
import { databaseName } from '../../../config.ts';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { settings } from '../../input/settings.ts';
import { checkJson, checkText } from '../../texts/check.ts';

class DbCheckCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `Needs no server; also works while one runs, and changes nothing. Two things are compared:

  executions   the log of each live one is folded again, from its first event, and must come to the stored snapshot and status
  audit        every audit chain is walked, and every event compared with the digest that sealed it (as \`jamjet audit verify\` does)

Names what does not agree, and exits with 1 then.`,
    examples: [
      ['The configured database', '$0 db check'],
      ['Ended executions, too', '$0 db check --all'],
      ['A PostgreSQL database, for a script', '$0 db check --db postgres://jamjet@db.internal/jamjet --json'],
    ],
  };

  db = Option.String('--db', { description: 'The database (default DATABASE_URL, else .jamjet/runtime.db).' });
  all = Option.Boolean('--all', false, { description: 'Fold executions that have ended, too.' });

  async execute(): Promise<number> {
    const config = settings(this.context, { db: this.db });
    const { checkDatabase } = await import('../../../databases.ts');
    const report = await checkDatabase(config, { all: this.all });
    if (this.json) this.printJson({ database: databaseName(config.database), ...checkJson(report) });
    else this.print(checkText(report, { all: this.all, paint: this.paint }));
    return checkJson(report).ok ? EXIT.ok : EXIT.failed;
  }
}

export { DbCheckCommand as command };

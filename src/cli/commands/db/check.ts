import { Option } from 'clipanion';
import { databaseName } from '../../../server/config.ts';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT } from '../../failure.ts';
import { checkJson, checkText } from '../../texts/check.ts';

class DbCheckCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: `Works with or without a running server and changes nothing. Two checks are made:

  executions   the log of each live execution is replayed from its first event and must match the
               stored snapshot and status
  audit        every audit chain is read and each event is compared with the digest in its block
               (like \`jamjet audit verify\`)

Lists the differences and exits with 1 if there are any.`,
    examples: [
      ['Check the configured database', '$0 db check'],
      ['Check ended executions as well', '$0 db check --all'],
      ['Check a PostgreSQL database, in a script', '$0 db check --db postgres://jamjet@db.internal/jamjet --json'],
    ],
  };

  all = Option.Boolean('--all', false, { description: 'Also replay executions that have ended.' });

  async execute(): Promise<number> {
    const config = this.config();
    const { checkDatabase } = await import('../../../server/databases.ts');
    const report = await checkDatabase(config, { all: this.all });
    if (this.json) this.printJson({ database: databaseName(config.database), ...checkJson(report) });
    else this.print(checkText(report, { all: this.all, paint: this.paint }));
    return checkJson(report).ok ? EXIT.ok : EXIT.failed;
  }
}

export { DbCheckCommand as command };

import { Option } from 'clipanion';
import { databaseName } from '../../../server/config.ts';
import { duration } from '../../../views/time.ts';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { databaseSetting, settings } from '../../input/settings.ts';
import { shownDatabase } from '../../terminal/path.ts';
import { table } from '../../terminal/table.ts';
import { checkJson, checkText } from '../../texts/check.ts';

class DbCopyCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `Copies an SQLite database that no server is using, with all of its content: executions and their logs, timers, work items and leases,
approvals, cron jobs, webhooks and their deliveries, artifacts, agents, tokens, and the audit chain. The target is an empty PostgreSQL
database, or a file that does not exist (a copy without free pages). The copy is one transaction. Afterwards the rows are counted and the
target is checked like by \`jamjet db check\`.

The source is not changed. Run servers on only one of the two.`,
    examples: [
      ['Move from SQLite to PostgreSQL', '$0 db copy .jamjet/runtime.db postgres://jamjet@db.internal/jamjet'],
      ['Make a compact copy', '$0 db copy /var/lib/jamjet/runtime.db /backup/runtime.db'],
    ],
  };

  from = Option.String({ name: 'from' });
  to = Option.String({ name: 'to' });

  async execute(): Promise<number> {
    const from = databaseSetting(this.context, 'FROM', this.from);
    const to = databaseSetting(this.context, 'TO', this.to);
    const { checkDatabase, copyDatabase } = await import('../../../server/databases.ts');
    const startedMs = performance.now();
    const receipt = await copyDatabase(from, to, () => {
      if (!this.json)
        this.note(`copying ${shownDatabase(from, this.context.cwd)}: it is locked against writes until the copy is done`);
    });
    const durationMs = performance.now() - startedMs;
    const rows = Object.values(receipt).reduce((sum, copied) => sum + copied, 0);
    if (!this.json) {
      this.print(this.#receipt(receipt));
      this.print(`${this.paint.green('✓')} ${rows} rows copied and counted in ${duration(durationMs)}`);
    }
    const check = await checkDatabase({ ...settings(this.context), database: to }, { all: false });
    const checked = checkJson(check);
    if (this.json) {
      const names = { from: databaseName(from), to: databaseName(to) };
      this.printJson({ ...names, tables: receipt, rows, duration_ms: Math.round(durationMs), check: checked });
    } else {
      this.print(checkText(check, { all: false, paint: this.paint }));
      this.note(
        checked.ok
          ? `  Start servers with DATABASE_URL=${shownDatabase(to, this.context.cwd)} from now on, and none on the source.`
          : '  Run `jamjet db check` on the source to see whether it has the same faults.',
      );
    }
    return checked.ok ? EXIT.ok : EXIT.failed;
  }

  #receipt(receipt: Readonly<Record<string, number>>): string {
    const rows = Object.entries(receipt).map(([name, copied]) => [name, String(copied)]);
    return table([{ title: 'TABLE' }, { title: 'ROWS', align: 'right' }], rows, this.paint);
  }
}

export { DbCopyCommand as command };

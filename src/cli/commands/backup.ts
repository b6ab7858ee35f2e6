import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'clipanion';
import { databaseName } from '../../server/config.ts';
import { duration } from '../../views/time.ts';
import type { Usage } from '../base/command.ts';
import { DatabaseCommand } from '../base/database-command.ts';
import { EXIT } from '../failure.ts';
import { sizeText } from '../terminal/size.ts';
import { copiedJson, copiedText, isSound, progressNotes } from '../texts/copied.ts';

class BackupCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: `Works with or without a running server, which goes on undisturbed. The backup is the database as it was when the command began, in one
file that only you can read. It is checked before it gets its name: its pages and indexes, the logs of its live executions, which are replayed,
and its audit chain. An existing file is never overwritten. Exits with 1 if a check fails: the backup has the same faults as the database then.

For PostgreSQL, use pg_dump: docs/run.md, "Backup".`,
    examples: [
      ['Back up the configured database', '$0 backup /backup/jamjet.db'],
      ['Every night, in a script', '$0 backup "/backup/jamjet-$(date +%F).db" --db /var/lib/jamjet/runtime.db --json'],
    ],
  };

  file = Option.String({ name: 'file' });
  all = Option.Boolean('--all', false, { description: 'Also replay executions that have ended.' });

  async execute(): Promise<number> {
    const config = this.config();
    const file = resolve(this.context.cwd, this.file);
    const { backUp } = await import('../../server/backups.ts');
    const startedMs = performance.now();
    const note = (text: string): void => {
      if (!this.json) this.note(text);
    };
    let copyingMs = 0;
    const copied = await backUp(config, file, {
      all: this.all,
      onProgress: progressNotes(note, () => performance.now()),
      onCopied: () => {
        copyingMs = performance.now() - startedMs;
        note('checking the copy');
      },
    });
    const bytes = statSync(file).size;
    if (this.json) {
      const names = { database: databaseName(config.database), file };
      this.printJson({
        ...names,
        size_bytes: bytes,
        duration_ms: Math.round(performance.now() - startedMs),
        ...copiedJson(copied),
      });
    } else {
      this.print(`${this.paint.green('✓')} ${this.file}: ${sizeText(bytes)}, copied in ${duration(copyingMs)}`);
      this.print(copiedText(copied, { all: this.all, paint: this.paint }));
    }
    return isSound(copied) ? EXIT.ok : EXIT.failed;
  }
}

export { BackupCommand as command };

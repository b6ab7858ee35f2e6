import { resolve } from 'node:path';
import { Option } from 'clipanion';
import { databaseName } from '../../server/config.ts';
import type { Usage } from '../base/command.ts';
import { DatabaseCommand } from '../base/database-command.ts';
import { EXIT } from '../failure.ts';
import { shortPath, shownDatabase } from '../terminal/path.ts';
import { copiedJson, copiedText, isSound, progressNotes } from '../texts/copied.ts';

class RestoreCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: `Puts a copy of the backup in the place of the database, which is kept beside it under another name. Refuses while a server works on the
database: stop it first. The backup is checked before anything is replaced, and the new database afterwards, as by \`jamjet db check\`.

The next server continues as after a crash at the moment of the backup: what was acknowledged later is lost, attempts in progress have failed,
overdue timers fire, and side effects since then may be repeated, under the same idempotency keys. A backup of an earlier release is migrated
when it is opened next.`,
    examples: [
      ['Restore the configured database', '$0 restore /backup/jamjet.db'],
      ['Look at a backup without replacing anything', '$0 restore /backup/jamjet.db --db /tmp/looking.db'],
    ],
  };

  file = Option.String({ name: 'file' });
  all = Option.Boolean('--all', false, { description: 'Also replay executions that have ended.' });

  async execute(): Promise<number> {
    const config = this.config();
    const { restore } = await import('../../server/backups.ts');
    const note = (text: string): void => {
      if (!this.json) this.note(text);
    };
    const restored = await restore(config, resolve(this.context.cwd, this.file), {
      all: this.all,
      nowMs: Date.now(),
      onProgress: progressNotes(note, () => performance.now()),
      onCopied: () => note('checking the copy'),
    });
    const { keptAs } = restored;
    if (this.json) {
      this.printJson({ database: databaseName(config.database), kept_as: keptAs, ...copiedJson(restored) });
    } else {
      const { cwd } = this.context;
      this.print(`${this.paint.green('✓')} ${shownDatabase(config.database, cwd)} restored from ${this.file}`);
      this.print(copiedText(restored, { all: this.all, paint: this.paint }));
      if (keptAs !== null) this.note(`  The database before is kept as ${shortPath(keptAs, cwd)}.`);
    }
    return isSound(restored) ? EXIT.ok : EXIT.failed;
  }
}

export { RestoreCommand as command };

import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { ReadOnlyCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { readLog } from '../connection/read-log.ts';
import { EXIT } from '../failure.ts';
import { count, plain } from '../terminal/text.ts';
import { logText } from '../texts/log.ts';

class ReplayCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: `The server folds the log again, step by step, and compares with what it has stored. Nothing is asked of the world: no tool, no worker,
no other server. Exits with 1 when they differ.`,
    examples: [
      ['What happened, and whether the log proves it', '$0 replay exec_0199…'],
      ['The proof alone', '$0 replay exec_0199… --verify'],
    ],
  };

  id = Option.String({ name: 'id' });
  verify = Option.Boolean('--verify', false, { description: 'Only say whether the log gives what is stored.' });

  protected async request(client: JamjetClient): Promise<number> {
    const { paint } = this;
    const replayed = await client.history.replay(this.id);
    const code = replayed.matches ? EXIT.ok : EXIT.failed;
    if (this.json) {
      this.printJson(replayed);
      return code;
    }
    if (!this.verify) {
      const { workflow_id, workflow_version } = await client.execution(replayed.execution_id);
      const { ir } = await client.workflow(workflow_id, workflow_version);
      const { lines } = logText(ir, await readLog(client, replayed.execution_id), null, paint);
      this.print(`${lines.join('\n')}\n`);
    }
    const { mismatch, events } = replayed;
    if (mismatch === undefined)
      this.print(`${paint.green('✓')} ${count(events, 'event')} folded again: the outcome is what is stored`);
    else this.print(`${paint.red('✗')} at sequence ${mismatch.sequence}: ${plain(mismatch.problem)}`);
    return code;
  }
}

export { ReplayCommand as command };

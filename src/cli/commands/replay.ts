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
    details: `The server replays the log step by step and compares the result with the stored state. No tool, worker or other server is called. Exits
with 1 if they differ. An execution that has ended under a data policy is redacted: there is nothing to compare.`,
    examples: [
      ['Print the timeline and verify the log', '$0 replay exec_0199…'],
      ['Only verify the log', '$0 replay exec_0199… --verify'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id' });
  verify = Option.Boolean('--verify', false, { description: 'Only report whether the replay matches the stored state.' });

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
    const { mismatch, events, redacted } = replayed;
    if (redacted === true)
      this.print(
        `${paint.dim('–')} redacted: the execution has ended, and its data policy erases the values that a replay would need`,
      );
    else if (mismatch === undefined)
      this.print(`${paint.green('✓')} ${count(events, 'event')} replayed: the result matches the stored state`);
    else this.print(`${paint.red('✗')} at sequence ${mismatch.sequence}: ${plain(mismatch.problem)}`);
    return code;
  }
}

export { ReplayCommand as command };

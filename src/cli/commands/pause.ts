import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import type { Usage } from '../base/command.ts';
import { ClientCommand } from '../connection/connect.ts';
import { EXIT } from '../failure.ts';

export class PauseCommand extends ClientCommand {
  static override paths = [['pause']];
  static override usage: Usage = {
    details: 'What is under way goes on; nothing else begins until `resume`. Child executions are not held with it.',
    examples: [
      ['Hold a run', '$0 pause exec_0199…'],
      ['… and say why', '$0 pause exec_0199… --reason "the bank is closed"'],
    ],
  };

  id = Option.String({ name: 'id' });
  reason = Option.String('--reason', { description: 'Why; shown with the execution and kept in the event log.' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.pause(this.id, this.reason);
    if (this.json) this.printJson(answer);
    else {
      this.print(`${this.paint.yellow('◆')} ${answer.execution_id} ${answer.status}`);
      this.note(`let it go on with: jamjet resume ${answer.execution_id}`);
    }
    return EXIT.ok;
  }
}

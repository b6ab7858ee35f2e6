import { Option } from 'clipanion';
import type { JamjetClient } from '../../client.ts';
import type { Usage } from '../command.ts';
import { ClientCommand } from '../connect.ts';
import { EXIT } from '../failure.ts';

export class CancelCommand extends ClientCommand {
  static override paths = [['cancel']];
  static override usage: Usage = {
    examples: [
      ['Stop a run', '$0 cancel exec_0199…'],
      ['… and say why', '$0 cancel exec_0199… --reason "ordered twice"'],
    ],
  };

  id = Option.String({ name: 'id' });
  reason = Option.String('--reason', { description: 'Why; kept in the event log.' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.cancel(this.id, this.reason);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓')} ${answer.execution_id} ${answer.status}`);
    return EXIT.ok;
  }
}

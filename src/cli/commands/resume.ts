import type { JamjetClient } from '../../client.ts';
import type { Usage } from '../command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { EventCommand } from './event.ts';

export class ResumeCommand extends EventCommand {
  static override paths = [['resume']];
  static override usage: Usage = {
    details: 'Ends the hold of `pause`. With --event it is the same as `event`: it sends what a wait of the execution waits for.',
    examples: [
      ['Let a held run go on', '$0 resume exec_0199…'],
      ['Send the event it waits for', `$0 resume exec_0199… --event payment-received --data '{"amount": 500}'`],
    ],
  };

  protected override async request(client: JamjetClient): Promise<number> {
    if (this.key !== undefined || this.event !== undefined) return super.request(client);
    if (this.data !== undefined || this.idempotencyKey !== undefined)
      throw usageFailure('--data and --idempotency-key belong to an event: name it with --event KEY');
    const answer = await client.resume(this.id);
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ resumed')}  ${answer.execution_id} is ${answer.status}`);
    return EXIT.ok;
  }
}

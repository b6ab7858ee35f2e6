import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import type { Usage } from '../base/command.ts';
import { ClientCommand } from '../connection/connect.ts';
import { EXIT } from '../failure.ts';
import { choiceArgument, jsonArgument } from '../input/arguments.ts';
import { plain } from '../terminal/text.ts';

export class ApproveCommand extends ClientCommand {
  static override paths = [['approve']];
  static override usage: Usage = {
    details:
      'Who decided is recorded: the name of the token; with --on-behalf-of also for whom it was decided, which nothing proves. When several approvals are open, --node-id says which one is meant.',
    examples: [
      ['Approve', '$0 approve exec_0199…'],
      ['Reject, and say why', '$0 approve exec_0199… --decision rejected --comment "over budget"'],
      [
        'Approve one of several, and change the state',
        `$0 approve exec_0199… --node-id review --state-patch '{"priority": "high"}'`,
      ],
    ],
  };

  id = Option.String({ name: 'id' });
  decision = Option.String('-d,--decision', 'approved', { description: 'approved (the default) or rejected.' });
  nodeId = Option.String('--node-id', { description: 'The node to decide on.' });
  onBehalfOf = Option.String('--on-behalf-of,--user-id', { description: 'For whom you decide, recorded beside your own name.' });
  comment = Option.String('-c,--comment', { description: 'A remark that is kept with the decision.' });
  statePatch = Option.String('--state-patch', { description: 'A JSON merge patch to the state (text, @file or -).' });

  protected async request(client: JamjetClient): Promise<number> {
    const decision = choiceArgument('--decision', this.decision, ['approved', 'rejected']);
    const answer = await client.approve(this.id, {
      decision,
      ...(this.nodeId === undefined ? {} : { node_id: this.nodeId }),
      ...(this.onBehalfOf === undefined ? {} : { user_id: this.onBehalfOf }),
      ...(this.comment === undefined ? {} : { comment: this.comment }),
      ...(this.statePatch === undefined
        ? {}
        : { state_patch: await jsonArgument('--state-patch', this.statePatch, this.context) }),
    });
    if (this.json) this.printJson(answer);
    else
      this.print(
        `${decision === 'approved' ? this.paint.green('✓ approved') : this.paint.red('✗ rejected')}  ${plain(answer.node_id)}  ${this.paint.dim(answer.execution_id)}`,
      );
    return EXIT.ok;
  }
}

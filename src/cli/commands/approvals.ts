import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import { ReadOnlyCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT } from '../failure.ts';
import { approvalLines } from '../following/approval.ts';
import { plain, shellWord } from '../terminal/text.ts';

class ApprovalsCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    examples: [['Show the approvals of an execution', '$0 approvals exec_0199…']],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const approvals = await client.approvals(this.id);
    if (this.json) {
      this.printJson(approvals);
      return EXIT.ok;
    }
    const { paint } = this;
    const nowMs = Date.now();
    if (approvals.pending.length === 0 && approvals.decided.length === 0) this.note('no approvals');
    for (const pending of approvals.pending) {
      this.print(
        [
          `${paint.yellow('◆')} ${paint.bold(plain(pending.node_id))}  waiting for ${ago(Date.parse(pending.requested_at), nowMs).replace(/ ago$/, '')}`,
          ...approvalLines(pending, nowMs, paint),
        ].join('\n'),
      );
      this.print(
        `\n    ${paint.dim('decide with')}  jamjet approve ${this.id} --node-id ${plain(shellWord(pending.node_id))} --decision approved\n`,
      );
    }
    for (const decided of approvals.decided) {
      const mark = decided.status === 'approved' ? paint.green('✓') : paint.red('✗');
      const forWhom = decided.on_behalf_of === undefined ? '' : ` on behalf of ${plain(decided.on_behalf_of)}`;
      const comment = decided.comment === null ? '' : `: ${plain(decided.comment)}`;
      this.print(
        `${mark} ${paint.bold(plain(decided.node_id))}  ${decided.status} by ${plain(decided.actor_id)}${forWhom} ${ago(Date.parse(decided.decided_at), nowMs)}${comment}`,
      );
    }
    return EXIT.ok;
  }
}

export { ApprovalsCommand as command };

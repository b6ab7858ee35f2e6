import { Option } from 'clipanion';
import type { JamjetClient, RetriedExecution } from '../../client.ts';
import type { Usage } from '../command.ts';
import { ClientCommand } from '../connect.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT } from '../failure.ts';
import { openHost } from '../host.ts';
import { exitCodeOf, exitCodeOfLeave, leaveText, reportJson, reportText } from '../run-report.ts';
import { followExecution } from '../session.ts';
import { paintFor } from '../terminal/paint.ts';
import { plain, shellWord } from '../terminal/text.ts';

export class RetryCommand extends ClientCommand {
  static override paths = [['retry']];
  static override usage: Usage = {
    details: `Of an execution that failed because nodes failed: they run again, in the same execution, and what waited for them follows. What
has completed is not done again. With --follow the exit status is 0 only when the execution completed.`,
    examples: [
      ['Once the cause is gone', '$0 retry exec_0199…'],
      ['… and see how it ends', '$0 retry exec_0199… --follow'],
    ],
  };

  id = Option.String({ name: 'id' });
  follow = Option.Boolean('--follow', false, { description: 'Follow the execution to its end, as `run` does.' });

  protected async request(client: JamjetClient): Promise<number> {
    const answer = await client.retry(this.id);
    if (this.follow) {
      if (!this.json) this.note(told(answer));
      return this.#follow(answer.execution_id);
    }
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ retried')}  ${told(answer)}`);
    return EXIT.ok;
  }

  async #follow(id: string): Promise<number> {
    const interrupt = listenForInterrupt(this.context.signals);
    const server = { runtime: this.runtime, embedded: false, db: undefined, tools: undefined, localTools: {}, resume: null };
    try {
      const host = await openHost(this.context, server);
      try {
        const session = { context: this.context, host, interrupt, quiet: this.json, timeoutMs: null };
        const outcome = await followExecution(session, id);
        const { left, execution, events } = outcome;
        if (this.json) this.printJson(reportJson(execution, events));
        else if (left === null) this.print(reportText(execution, events, this.paint));
        if (left === null) return exitCodeOf(execution);
        const stream = this.json ? this.context.stderr : this.context.stdout;
        const words = ['jamjet', 'run', ...(this.runtime === undefined ? [] : ['--runtime', this.runtime]), '--resume', id];
        const again = words.map(shellWord).join(' ');
        stream.write(`${leaveText(outcome, host, again, paintFor(stream, this.context.env))}\n`);
        return exitCodeOfLeave(left);
      } finally {
        await host.close();
      }
    } finally {
      interrupt.ignore();
    }
  }
}

function told({ execution_id, nodes }: RetriedExecution): string {
  return `${execution_id} runs again: ${plain(nodes.join(', '))}`;
}

import { Option } from 'clipanion';
import type { JamjetClient, ResumeExecution } from '../../client/index.ts';
import type { Usage } from '../base/command.ts';
import { EventSendingCommand } from '../base/event-command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { amountArgument, integerArgument } from '../input/arguments.ts';

class ResumeCommand extends EventSendingCommand {
  static override usage: Usage = {
    details: `Resumes an execution that was paused by \`pause\` or by an exceeded budget; the latter needs a higher total. With --event it is the same
as \`event\`: it sends an external event that the execution waits for. With --retry it is the same as \`retry\`: the failed nodes run again.`,
    examples: [
      ['Resume a paused execution', '$0 resume exec_0199…'],
      ['Resume an execution that exceeded its budget', '$0 resume exec_0199… --tokens 20000 --cost-usd 5'],
      ['Send the event it waits for', `$0 resume exec_0199… --event payment-received --data '{"amount": 500}'`],
      ['Retry the failed nodes', '$0 resume exec_0199… --retry'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id' });
  key = Option.String({ name: 'key', required: false });
  tokens = Option.String('--tokens', { description: 'The new token budget, in total.' });
  costUsd = Option.String('--cost-usd', { description: 'The new cost budget in US dollars, in total.' });
  retry = Option.Boolean('--retry', false, { description: 'Run the failed nodes again.' });

  protected async request(client: JamjetClient): Promise<number> {
    const sends = this.key !== undefined || this.event !== undefined;
    const budgets = this.tokens !== undefined || this.costUsd !== undefined;
    if ([sends, budgets, this.retry].filter(Boolean).length > 1)
      throw usageFailure('give only one of an event, new budgets, and --retry');
    if (sends) {
      const event = await this.sentEvent(this.key, 'jamjet event ID KEY --data JSON');
      this.reportEvent(event.key, await client.sendEvent(this.id, event, this.sendOptions));
      return EXIT.ok;
    }
    if (this.data !== undefined || this.idempotencyKey !== undefined)
      throw usageFailure('--data and --idempotency-key require --event KEY');
    const answer = this.retry ? await client.retry(this.id) : await client.resume(this.id, this.#budgets());
    if (this.json) this.printJson(answer);
    else if (this.retry) this.print(`${this.paint.green('✓ retried')}  ${answer.execution_id} is ${answer.status}`);
    else this.print(`${this.paint.green('✓ resumed')}  ${answer.execution_id} is ${answer.status}`);
    return EXIT.ok;
  }

  #budgets(): ResumeExecution {
    const { tokens, costUsd } = this;
    return {
      ...(tokens === undefined
        ? {}
        : { token_budget: { total_tokens: integerArgument('--tokens', tokens, { min: 0, max: 1e15 - 1 }) } }),
      ...(costUsd === undefined ? {} : { cost_budget_usd: amountArgument('--cost-usd', costUsd) }),
    };
  }
}

export { ResumeCommand as command };

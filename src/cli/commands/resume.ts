import { Option } from 'clipanion';
import type { JamjetClient, ResumeExecution } from '../../client/index.ts';
import type { Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { amountArgument, integerArgument } from '../input/arguments.ts';
import { command as EventCommand } from './event.ts';

class ResumeCommand extends EventCommand {
  static override usage: Usage = {
    details: `Ends the hold of \`pause\`, or of a budget that was exceeded: that one needs a greater total. With --event it is the same as \`event\`: it
sends what a wait of the execution waits for. With --retry it is the same as \`retry\`: the nodes that failed the execution run again.`,
    examples: [
      ['Let a held run go on', '$0 resume exec_0199…'],
      ['Let one go on that is over its budget', '$0 resume exec_0199… --tokens 20000 --cost-usd 5'],
      ['Send the event it waits for', `$0 resume exec_0199… --event payment-received --data '{"amount": 500}'`],
      ['Run the nodes again that failed it', '$0 resume exec_0199… --retry'],
    ],
  };

  tokens = Option.String('--tokens', { description: 'The new total of tokens it may use.' });
  costUsd = Option.String('--cost-usd', { description: 'The new total of what it may cost, in US dollars.' });
  retry = Option.Boolean('--retry', false, { description: 'Run the nodes again that failed it.' });

  protected override async request(client: JamjetClient): Promise<number> {
    const sends = this.key !== undefined || this.event !== undefined;
    const budgets = this.tokens !== undefined || this.costUsd !== undefined;
    if ([sends, budgets, this.retry].filter(Boolean).length > 1)
      throw usageFailure('an event, new totals and --retry are different ways to go on: give one of them');
    if (sends) return super.request(client);
    if (this.data !== undefined || this.idempotencyKey !== undefined)
      throw usageFailure('--data and --idempotency-key belong to an event: name it with --event KEY');
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

import { Option } from 'clipanion';
import type { JamjetClient, SendKeyedEvent } from '../../client/index.ts';
import type { Usage } from '../base/command.ts';
import { EventSendingCommand } from '../base/event-command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { jsonArgument } from '../input/arguments.ts';
import { executionIdOf } from '../input/execution-id.ts';

class EventCommand extends EventSendingCommand {
  static override usage: Usage = {
    details: `An event that arrives before the execution reaches its wait is buffered. With --idempotency-key, sending the same event twice has no
further effect. With --workflow and --key, it is for the live execution that was started with that key; --start begins one if there is none.`,
    examples: [
      ['Report a payment', `$0 event exec_0199… payment-received --data '{"amount": 500}'`],
      [
        'Read the payload from a file, safe to repeat',
        '$0 event exec_0199… payment-received --data @payment.json --idempotency-key pay-77',
      ],
      ['Report it to the execution of an order', '$0 event payment-received --workflow order --key order-42'],
      [
        'Start the execution of a cart with its first event',
        `$0 event added --workflow cart --key cart-7 --data '{"sku": "X1"}' --start '{"customer": "ada"}'`,
      ],
    ],
  };

  first = Option.String({ name: 'id', required: false });
  second = Option.String({ name: 'key', required: false });
  workflow = Option.String('--workflow', { description: 'Workflow of the execution with --key.' });
  key = Option.String('--key', { description: 'Key with which the execution was started, in the place of ID.' });
  start = Option.String('--start', {
    description: 'Start an execution with the key if none is live, with this input: JSON text, @file or -.',
  });

  protected async request(client: JamjetClient): Promise<number> {
    const { workflow, key, start } = this;
    if (key !== undefined && workflow !== undefined) return this.#sendByKey(client, workflow, key);
    const option = Object.entries({ '--key': key, '--workflow': workflow, '--start': start }).find(
      ([, value]) => value !== undefined,
    );
    if (option !== undefined)
      throw usageFailure(
        `${option[0]} is only for an event by --workflow and --key`,
        'jamjet event KEY --workflow WORKFLOW --key KEY',
      );
    if (this.first === undefined) throw usageFailure('the execution is missing', 'jamjet event ID KEY --data JSON');
    const event = await this.sentEvent(this.second, 'jamjet event ID KEY --data JSON');
    const id = await executionIdOf(client, this.first);
    this.reportEvent(event.key, await client.sendEvent(id, event, this.sendOptions));
    return EXIT.ok;
  }

  async #sendByKey(client: JamjetClient, workflow: string, key: string): Promise<number> {
    const example = 'jamjet event KEY --workflow WORKFLOW --key KEY --data JSON';
    if (this.second !== undefined) throw usageFailure('give ID, or --workflow and --key, not both', example);
    const { key: correlationKey, payload } = await this.sentEvent(this.first, example);
    const event: SendKeyedEvent = { workflow_id: workflow, key, correlation_key: correlationKey, payload };
    const input = this.start === undefined ? undefined : await jsonArgument('--start', this.start, this.context);
    const answer = await client.sendEventByKey(input === undefined ? event : { ...event, start: { input } }, this.sendOptions);
    if (!this.json && answer.started) this.print(`${this.paint.green('✓ started')}  ${answer.execution_id}`);
    this.reportEvent(correlationKey, answer, answer.execution_id);
    return EXIT.ok;
  }
}

export { EventCommand as command };

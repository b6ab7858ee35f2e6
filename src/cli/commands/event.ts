import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { ClientCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { jsonArgument } from '../input/arguments.ts';
import { plain } from '../terminal/text.ts';

class EventCommand extends ClientCommand {
  static override usage: Usage = {
    details: `An event that arrives before the execution reaches its wait is buffered. With --idempotency-key, sending the same event twice has no
further effect.`,
    examples: [
      ['Report a payment', `$0 event exec_0199… payment-received --data '{"amount": 500}'`],
      [
        'Read the payload from a file, safe to repeat',
        '$0 event exec_0199… payment-received --data @payment.json --idempotency-key pay-77',
      ],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id' });
  key = Option.String({ name: 'key', required: false });
  event = Option.String('-e,--event', { description: 'The correlation key, if it is not given as KEY.' });
  data = Option.String('-d,--data', { description: 'The payload: JSON text, @file or - (default {}).' });
  idempotencyKey = Option.String('--idempotency-key', {
    description: 'Identifies this event, so that a repeated request is ignored.',
  });

  strict = Option.Boolean('--strict', false, {
    description: 'Refuse a payload that does not fit the schema of its wait, instead of warning.',
  });

  protected override get changesOffline(): boolean {
    return true;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const key = this.key ?? this.event;
    if (key === undefined || (this.key !== undefined && this.event !== undefined && this.key !== this.event)) {
      throw usageFailure(
        key === undefined ? 'the correlation key is missing' : 'two correlation keys: give KEY or --event, not both',
        'jamjet event ID KEY --data JSON',
      );
    }
    const payload = await jsonArgument('--data', this.data ?? '{}', this.context);
    const options = {
      strict: this.strict,
      ...(this.idempotencyKey === undefined ? {} : { idempotencyKey: this.idempotencyKey }),
    };
    const answer = await client.sendEvent(this.id, { key, payload }, options);
    if (this.json) this.printJson(answer);
    else if (answer.node_id !== null) this.print(`${this.paint.green('✓ delivered')}  ${plain(key)} to ${plain(answer.node_id)}`);
    else if (!(answer.warnings ?? []).some(({ code }) => code === 'nobody_waits'))
      this.print(`${this.paint.green('✓ accepted')}  ${plain(key)} is buffered until a node waits for it`);
    else this.print(`${this.paint.yellow('✓ logged')}  ${plain(key)} reached no node`);
    return EXIT.ok;
  }
}

export { EventCommand as command };

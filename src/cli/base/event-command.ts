import { Option } from 'clipanion';
import type { Json } from '../../../machines/json.ts';
import type { AcceptedEvent, SendEventOptions } from '../../client/index.ts';
import { usageFailure } from '../failure.ts';
import { jsonArgument } from '../input/arguments.ts';
import { plain } from '../terminal/text.ts';
import { ClientCommand } from './client-command.ts';

/** A command that sends an external event. */
export abstract class EventSendingCommand extends ClientCommand {
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

  /** `given`: the correlation key as an argument. */
  protected async sentEvent(
    given: string | undefined,
    example: string,
  ): Promise<{ readonly key: string; readonly payload: Json }> {
    const key = given ?? this.event;
    if (key === undefined) throw usageFailure('the correlation key is missing', example);
    if (this.event !== undefined && key !== this.event)
      throw usageFailure('two correlation keys: give KEY or --event, not both', example);
    return { key, payload: await jsonArgument('--data', this.data ?? '{}', this.context) };
  }

  protected get sendOptions(): SendEventOptions {
    return { strict: this.strict, ...(this.idempotencyKey === undefined ? {} : { idempotencyKey: this.idempotencyKey }) };
  }

  /** Prints what has come of the event. `to`: the execution, if the user has not named it. */
  protected reportEvent(key: string, answer: AcceptedEvent, to = ''): void {
    const place = to === '' ? '' : ` of ${to}`;
    if (this.json) this.printJson(answer);
    else if (answer.node_id !== null)
      this.print(`${this.paint.green('✓ delivered')}  ${plain(key)} to ${plain(answer.node_id)}${place}`);
    else if (!(answer.warnings ?? []).some(({ code }) => code === 'nobody_waits'))
      this.print(`${this.paint.green('✓ accepted')}  ${plain(key)} is buffered until a node${place} waits for it`);
    else this.print(`${this.paint.yellow('✓ logged')}  ${plain(key)} reached no node${place}`);
  }
}

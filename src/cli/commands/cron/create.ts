import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { choiceArgument, jsonArgument } from '../../input/arguments.ts';
import { cronDetails } from '../../texts/cron.ts';

const MISSED = ['skip', 'catch_up'] as const;
const OVERLAP = ['allow', 'skip', 'cancel_running'] as const;

export class CronCreateCommand extends ClientCommand {
  static override paths = [['cron', 'create']];
  static override usage: Usage = {
    details: `EXPRESSION has five fields: minute, hour, day of month, month, day of week. Quote it for the shell. A job of the same name is
replaced.

--missed says what happens to times that passed while no runtime was there: skip (the default), or catch_up.
--overlap says what happens when the last execution has not ended: allow another (the default), skip this time, or cancel_running.`,
    examples: [
      [
        'Every night at half past two, Berlin time',
        "$0 cron create nightly '30 2 * * *' --workflow report --timezone Europe/Berlin",
      ],
      [
        'Every five minutes, never two at a time',
        `$0 cron create poll '*/5 * * * *' --workflow poll --overlap skip --input '{"queue": "inbox"}'`,
      ],
      ['Made, but not started yet', "$0 cron create weekly '0 9 * * mon' --workflow digest --paused"],
    ],
  };

  name = Option.String({ name: 'name' });
  expression = Option.String({ name: 'expression' });
  workflow = Option.String('-w,--workflow', { description: 'The workflow to start.' });
  version = Option.String('--workflow-version', { description: 'Its version (default: the latest when it runs).' });
  input = Option.String('-i,--input', '{}', { description: 'The input: JSON text, @file or - (default {}).' });
  timezone = Option.String('--timezone', { description: 'Whose clock: an IANA name (default UTC).' });
  missed = Option.String('--missed', 'skip', { description: 'skip (the default) or catch_up.' });
  overlap = Option.String('--overlap', 'allow', { description: 'allow (the default), skip or cancel_running.' });
  paused = Option.Boolean('--paused', false, { description: 'Do not start it before `jamjet cron resume`.' });

  protected async request(client: JamjetClient): Promise<number> {
    if (this.workflow === undefined) throw usageFailure('which workflow? --workflow names it');
    const job = await client.cron.put({
      name: this.name,
      cron_expression: this.expression,
      workflow_id: this.workflow,
      input: await jsonArgument('--input', this.input, this.context),
      enabled: !this.paused,
      missed: choiceArgument('--missed', this.missed, MISSED),
      overlap: choiceArgument('--overlap', this.overlap, OVERLAP),
      ...(this.version === undefined ? {} : { workflow_version: this.version }),
      ...(this.timezone === undefined ? {} : { timezone: this.timezone }),
    });
    if (this.json) this.printJson(job);
    else this.print(cronDetails(job, Date.now(), this.paint));
    return EXIT.ok;
  }
}

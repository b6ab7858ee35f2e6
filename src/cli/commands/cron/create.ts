import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { choiceArgument, jsonArgument } from '../../input/arguments.ts';
import { cronDetails } from '../../texts/cron.ts';

const MISSED = ['skip', 'catch_up'] as const;
const OVERLAP = ['allow', 'skip', 'cancel_running'] as const;

export const command = requestCommand({
  usage: {
    details: `EXPRESSION has five fields: minute, hour, day of month, month, day of week. Quote it for the shell. A job with the same name is
replaced.

--missed: what to do about runs that were due while no server was running: skip (the default) or catch_up.
--overlap: what to do when the last execution has not ended: allow another (the default), skip this run, or cancel_running.`,
    examples: [
      [
        'Every night at half past two, Berlin time',
        "$0 cron create nightly '30 2 * * *' --workflow report --timezone Europe/Berlin",
      ],
      [
        'Every five minutes, never two at a time',
        `$0 cron create poll '*/5 * * * *' --workflow poll --overlap skip --input '{"queue": "inbox"}'`,
      ],
      ['Create a paused job', "$0 cron create weekly '0 9 * * mon' --workflow digest --paused"],
    ],
  },
  options: () => ({
    name: Option.String({ name: 'name' }),
    expression: Option.String({ name: 'expression' }),
    workflow: Option.String('-w,--workflow', { description: 'The workflow to start.' }),
    version: Option.String('--workflow-version', { description: 'Its version (default: the latest at the time of the run).' }),
    input: Option.String('-i,--input', '{}', { description: 'The input: JSON text, @file or - (default {}).' }),
    timezone: Option.String('--timezone', { description: 'Time zone of the schedule, an IANA name (default UTC).' }),
    missed: Option.String('--missed', 'skip', { description: 'skip (the default) or catch_up.' }),
    overlap: Option.String('--overlap', 'allow', { description: 'allow (the default), skip or cancel_running.' }),
    paused: Option.Boolean('--paused', false, { description: 'Create the job paused; `jamjet cron resume` starts it.' }),
  }),
  call: async (client, options, context) => {
    const { name, expression, workflow, version, input, timezone, missed, overlap, paused } = options;
    if (workflow === undefined) throw usageFailure('--workflow is missing: name the workflow to start');
    return client.cron.put({
      name,
      cron_expression: expression,
      workflow_id: workflow,
      input: await jsonArgument('--input', input, context),
      enabled: !paused,
      missed: choiceArgument('--missed', missed, MISSED),
      overlap: choiceArgument('--overlap', overlap, OVERLAP),
      ...(version === undefined ? {} : { workflow_version: version }),
      ...(timezone === undefined ? {} : { timezone }),
    });
  },
  text: (job, { paint, nowMs }) => cronDetails(job, nowMs, paint),
});

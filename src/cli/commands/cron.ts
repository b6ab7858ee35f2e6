import { Option } from 'clipanion';
import type { CallOptions, CronJob, CronJobList, JamjetClient } from '../../client/index.ts';
import { ago, ahead } from '../../views/time.ts';
import type { Usage } from '../base/command.ts';
import { ListCommand } from '../base/list-command.ts';
import { requestCommand } from '../base/request-command.ts';
import { usageFailure } from '../failure.ts';
import { choiceArgument, jsonArgument } from '../input/arguments.ts';
import type { Paint } from '../terminal/paint.ts';
import { fields, table } from '../terminal/table.ts';
import { cut, plain } from '../terminal/text.ts';

const MISSED = ['skip', 'catch_up'] as const;
const OVERLAP = ['allow', 'skip', 'cancel_running'] as const;

const NAME = () => ({ name: Option.String({ name: 'name' }) });

class CronListCommand extends ListCommand<CronJobList> {
  static override usage: Usage = {
    examples: [
      ['List all cron jobs, by name', '$0 cron list'],
      ['Watch cron jobs', '$0 cron list --watch'],
      ['List jobs whose last run failed to start', "$0 cron list --json | jq '.cron_jobs[] | select(.last_error)'"],
    ],
  };

  protected readonly emptyText = 'no cron jobs';

  protected read(client: JamjetClient, call: CallOptions): Promise<CronJobList> {
    return client.cron.list(call);
  }

  protected listText({ cron_jobs }: CronJobList): string | null {
    return cron_jobs.length === 0 ? null : cronTable(cron_jobs, Date.now(), this.paint);
  }
}

export const commands = {
  create: requestCommand({
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
  }),
  list: CronListCommand,
  get: requestCommand({
    usage: {
      examples: [
        ['Show the schedule and the last run', '$0 cron get nightly'],
        ['Inspect the last execution', '$0 inspect $($0 cron get nightly --json | jq -r .last_execution_id)'],
      ],
    },
    readOnly: true,
    options: NAME,
    call: (client, { name }) => client.cron.get(name),
    text: (job, { paint, nowMs }) => cronDetails(job, nowMs, paint),
  }),
  pause: requestCommand({
    usage: {
      details: 'Executions that the job started continue. Runs that fall into the pause are not caught up.',
      examples: [['Start nothing until the job is resumed', '$0 cron pause nightly']],
    },
    options: NAME,
    call: (client, { name }) => client.cron.pause(name),
    text: (_job, { paint }, { name }) => `${paint.green('✓ paused')}  ${plain(name)}`,
  }),
  resume: requestCommand({
    usage: {
      details: 'The job continues with the next scheduled time from now.',
      examples: [['Start the workflow on schedule again', '$0 cron resume nightly']],
    },
    options: NAME,
    call: (client, { name }) => client.cron.resume(name),
    text: ({ next_run_at }, { paint }, { name }) =>
      `${paint.green('✓ resumed')}  ${plain(name)}  ${paint.dim(`next run ${next_run_at ?? 'never'}`)}`,
  }),
  trigger: requestCommand({
    usage: {
      details: 'Runs outside the schedule, also while the job is paused or its last execution is still running.',
      examples: [['Run now instead of tonight', '$0 cron trigger nightly']],
    },
    options: NAME,
    call: (client, { name }) => client.cron.trigger(name),
    text: ({ execution_id }, { paint }, { name }) => `${paint.green('✓ started')}  ${plain(name)}  ${paint.dim(execution_id)}`,
  }),
  delete: requestCommand({
    usage: {
      details: 'Executions that the job started continue.',
      examples: [['Stop starting executions', '$0 cron delete nightly']],
    },
    options: NAME,
    call: (client, { name }) => client.cron.delete(name),
    text: (_job, { paint }, { name }) => `${paint.green('✓ deleted')}  ${plain(name)}`,
  }),
};

const COLUMNS = [
  { title: 'JOB' },
  { title: 'SCHEDULE' },
  { title: 'WORKFLOW' },
  { title: 'STATE' },
  { title: 'NEXT', align: 'right' },
  { title: 'LAST', align: 'right' },
  { title: '' },
] as const;

function cronTable(jobs: readonly CronJob[], nowMs: number, paint: Paint): string {
  const rows = jobs.map((job) => [
    plain(job.name),
    scheduleOf(job),
    workflowOf(job),
    stateOf(job, paint),
    job.next_run_at === null ? '–' : ahead(Date.parse(job.next_run_at), nowMs),
    job.last_run_at === null ? 'never' : ago(Date.parse(job.last_run_at), nowMs),
    paint.dim(cut(plain(job.last_error ?? ''), 60)),
  ]);
  return table(COLUMNS, rows, paint);
}

function cronDetails(job: CronJob, nowMs: number, paint: Paint): string {
  const time = (text: string | null, relative: (atMs: number, nowMs: number) => string): string =>
    text === null ? 'none' : `${text}  ${paint.dim(relative(Date.parse(text), nowMs))}`;
  return [
    `${paint.bold(plain(job.name))}  ${stateOf(job, paint)}`,
    fields(
      [
        ['schedule', scheduleOf(job)],
        ['workflow', workflowOf(job)],
        ['input', cut(plain(JSON.stringify(job.input)), 200)],
        ['next run', time(job.next_run_at, ahead)],
        ['last run', time(job.last_run_at, ago)],
        ['execution', job.last_execution_id ?? 'none'],
        ['error', job.last_error === null ? 'none' : paint.red(plain(job.last_error))],
        ['missed', job.missed],
        ['overlap', job.overlap],
        ['created', time(job.created_at, ago)],
      ],
      paint,
      '  ',
    ),
  ].join('\n');
}

function scheduleOf({ cron_expression, timezone }: CronJob): string {
  return `${plain(cron_expression)}${timezone === 'UTC' ? '' : `  ${plain(timezone)}`}`;
}

function workflowOf({ workflow_id, workflow_version }: CronJob): string {
  return plain(workflow_version === null ? workflow_id : `${workflow_id} ${workflow_version}`);
}

function stateOf({ enabled, last_error }: CronJob, paint: Paint): string {
  if (!enabled) return paint.dim('paused');
  return last_error === null ? paint.green('active') : paint.red('failing');
}

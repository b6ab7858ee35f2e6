import type { CronJob } from '../../client/index.ts';
import { ago, ahead } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { fields, table } from '../terminal/table.ts';
import { cut, plain } from '../terminal/text.ts';

const COLUMNS = [
  { title: 'JOB' },
  { title: 'SCHEDULE' },
  { title: 'WORKFLOW' },
  { title: 'STATE' },
  { title: 'NEXT', align: 'right' },
  { title: 'LAST', align: 'right' },
  { title: '' },
] as const;

export function cronTable(jobs: readonly CronJob[], nowMs: number, paint: Paint): string {
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

export function cronDetails(job: CronJob, nowMs: number, paint: Paint): string {
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

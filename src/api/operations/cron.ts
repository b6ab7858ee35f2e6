import { type Static, Type } from 'typebox';
import { MISSED, OVERLAP } from '../../../store/port/resources/cron.ts';
import { anyJson, flag, listOf, name, nameOrEmpty, nullable, optional, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

const ByName = Type.Object({ name: text('Name of the cron job.') });

const MISSED_TEXT =
  'Times that passed while no server was running: `skip` them, or `catch_up` with each of the last 1000, in order.';
const OVERLAP_TEXT = 'When the previous execution has not ended: `allow` another, `skip` this time, or `cancel_running` first.';

export const PutCronJob = Type.Object(
  {
    name: name('Key of the job within the tenant. Putting the same name again replaces the job.'),
    cron_expression: text('Minute, hour, day of month, month, day of week.', { minLength: 1, maxLength: 256 }),
    workflow_id: text('Workflow to start.', { minLength: 1, maxLength: 256 }),
    workflow_version: optional(nameOrEmpty('A version.'), 'Version to start. Default: the latest at the time of the run.'),
    input: Type.Optional(anyJson('Input of every execution. Default `{}`.')),
    enabled: optional(Type.Boolean(), 'Whether the job runs. Default true.'),
    timezone: optional(Type.String({ minLength: 1, maxLength: 64 }), 'IANA name of the time zone. Default `UTC`.'),
    missed: optional(Type.Enum(MISSED), `${MISSED_TEXT} Default \`skip\`.`),
    overlap: optional(Type.Enum(OVERLAP), `${OVERLAP_TEXT} Default \`allow\`.`),
  },
  { description: 'A workflow to be started on a schedule.' },
);
export type PutCronJob = Static<typeof PutCronJob>;

export const CronJob = Type.Object(
  {
    id: text('Id of the job.'),
    name: text('Name of the job.'),
    cron_expression: text('Minute, hour, day of month, month, day of week.'),
    timezone: text('IANA name of the time zone in which the expression is read.'),
    workflow_id: text('Workflow that is started.'),
    workflow_version: nullable(Type.String(), 'Version that is started; null = the latest at the time of the run.'),
    input: anyJson('Input of every execution.'),
    enabled: flag('False while the job is paused.'),
    missed: Type.Enum(MISSED, { description: MISSED_TEXT }),
    overlap: Type.Enum(OVERLAP, { description: OVERLAP_TEXT }),
    next_run_at: nullable(timestamp('A time.'), 'When the job runs next; null while it is paused.'),
    last_run_at: nullable(timestamp('A time.'), 'When the job last ran; null if never.'),
    last_execution_id: nullable(Type.String(), 'Execution that the job last started; null if none.'),
    last_error: nullable(Type.String(), 'Why the last run could not start an execution; null if it could.'),
    created_at: timestamp('When the job was created or replaced.'),
  },
  { description: 'A workflow that is started on a schedule.' },
);
export type CronJob = Static<typeof CronJob>;

export const CronJobList = Type.Object(
  { cron_jobs: listOf(CronJob, 'By name.') },
  { description: 'The cron jobs of the tenant.' },
);
export type CronJobList = Static<typeof CronJobList>;

export const DeletedCronJob = Type.Object(
  {
    name: text('Name of the job.'),
    deleted: Type.Literal(true, { description: 'Always true.' }),
  },
  { description: 'A cron job was deleted.' },
);
export type DeletedCronJob = Static<typeof DeletedCronJob>;

export const TriggeredCronJob = Type.Object(
  { execution_id: text('Execution that the run started.') },
  { description: 'A cron job was run outside its schedule.' },
);
export type TriggeredCronJob = Static<typeof TriggeredCronJob>;

export const CRON = {
  tag: 'Cron',
  operations: {
    'POST /cron': {
      id: 'putCronJob',
      access: 'write',
      addsStorage: true,
      summary: 'Create or replace a cron job',
      description: 'Starts a workflow on a schedule. A job of the same name is replaced, and its history is reset.',
      body: PutCronJob,
      status: 201,
      reply: CronJob,
    },
    'GET /cron': { id: 'listCronJobs', access: 'read', summary: 'List cron jobs by name', reply: CronJobList },
    'GET /cron/:name': { id: 'getCronJob', access: 'read', summary: 'Get a cron job', params: ByName, reply: CronJob },
    'DELETE /cron/:name': {
      id: 'deleteCronJob',
      access: 'write',
      summary: 'Delete a cron job',
      description: 'Executions that the job started continue.',
      params: ByName,
      reply: DeletedCronJob,
    },
    'POST /cron/:name/pause': {
      id: 'pauseCronJob',
      access: 'write',
      summary: 'Pause a cron job',
      description: 'Executions that the job started continue. Times that pass while it is paused are skipped.',
      params: ByName,
      reply: CronJob,
    },
    'POST /cron/:name/resume': {
      id: 'resumeCronJob',
      access: 'write',
      summary: 'Resume a cron job',
      params: ByName,
      reply: CronJob,
    },
    'POST /cron/:name/trigger': {
      id: 'triggerCronJob',
      access: 'write',
      summary: 'Run a cron job now',
      description: 'Starts an execution outside the schedule, even if the job is paused or its previous execution has not ended.',
      params: ByName,
      status: 201,
      reply: TriggeredCronJob,
    },
  },
} satisfies Resource;

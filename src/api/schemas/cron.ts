import { type Static, Type } from 'typebox';
import { MISSED, OVERLAP } from '../../../store/port/resources/cron.ts';
import { AnyJson, Name, NameOrEmpty, optional, Timestamp } from './fields.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);
const NullableTime = Type.Union([Timestamp, Type.Null()]);

export const PutCronJob = Type.Object({
  /** The job's key within the tenant: the same name again replaces it. */
  name: Name,
  /** Minute, hour, day of month, month, day of week. */
  cron_expression: Type.String({ minLength: 1, maxLength: 256 }),
  workflow_id: Type.String({ minLength: 1, maxLength: 256 }),
  /** Absent = the latest version when it runs. */
  workflow_version: optional(NameOrEmpty),
  input: Type.Optional(AnyJson),
  enabled: optional(Type.Boolean()),
  /** IANA name; absent = UTC. */
  timezone: optional(Type.String({ minLength: 1, maxLength: 64 })),
  /** Times that passed while no runtime was there: `skip` (the default) or `catch_up`. */
  missed: optional(Type.Enum(MISSED)),
  /** When the last execution has not ended: `allow` another (the default), `skip` this time, or `cancel_running`. */
  overlap: optional(Type.Enum(OVERLAP)),
});
export type PutCronJob = Static<typeof PutCronJob>;

export const CronJob = Type.Object({
  id: Type.String(),
  name: Type.String(),
  cron_expression: Type.String(),
  timezone: Type.String(),
  workflow_id: Type.String(),
  /** Null = the latest version when it runs. */
  workflow_version: NullableText,
  input: AnyJson,
  enabled: Type.Boolean(),
  missed: Type.Enum(MISSED),
  overlap: Type.Enum(OVERLAP),
  /** Null while paused. */
  next_run_at: NullableTime,
  last_run_at: NullableTime,
  last_execution_id: NullableText,
  /** Why the last run could not be started; null once one could. */
  last_error: NullableText,
  created_at: Timestamp,
});
export type CronJob = Static<typeof CronJob>;

export const CronJobList = Type.Object({ cron_jobs: Type.Array(CronJob) });
export type CronJobList = Static<typeof CronJobList>;

export const DeletedCronJob = Type.Object({ name: Type.String(), deleted: Type.Literal(true) });
export type DeletedCronJob = Static<typeof DeletedCronJob>;

export const TriggeredCronJob = Type.Object({ execution_id: Type.String() });
export type TriggeredCronJob = Static<typeof TriggeredCronJob>;

import type { Json } from '../../machines/json.ts';
import { InvalidSchedule, parseCron } from '../cron-expression.ts';
import type { MapReader } from './map-reader.ts';

/** When executions of a workflow are to be started. */
export interface Schedule {
  readonly cron: string;
  readonly timezone: string;
  readonly input: Json;
  readonly enabled: boolean;
}

/** Reads `schedule` of a unit; null when there is none. */
export function readSchedule(unit: MapReader): Schedule | null {
  const schedule = unit.map(`schedule of ${unit.name}`, 'schedule');
  if (schedule === null) return null;
  const cron = schedule.text('cron', 'cron_expression');
  const timezone = schedule.text('timezone');
  const enabled = schedule.json('enabled')?.value ?? true;
  if (cron === null)
    schedule.error('missing_key', `${schedule.name} has no cron expression`, schedule.offset, 'write "cron: 0 8 * * *"');
  if (typeof enabled !== 'boolean')
    schedule.error('wrong_type', `${schedule.name}: "enabled" must be true or false`, schedule.offset);
  const found = {
    cron: cron?.value ?? '',
    timezone: timezone?.value ?? 'UTC',
    input: schedule.json('input')?.value ?? {},
    enabled: enabled !== false,
  };
  schedule.warnAboutUnread();
  if (cron === null) return found;
  try {
    parseCron(found.cron, found.timezone);
  } catch (error) {
    if (!(error instanceof InvalidSchedule)) throw error;
    const at = error.field === 'timezone' ? timezone : cron;
    schedule.error('bad_schedule', `${schedule.name}: ${error.message}`, at?.offset ?? schedule.offset);
  }
  return found;
}

import type { Job } from '../../client/index.ts';
import { ago, duration } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { fields } from '../terminal/table.ts';
import { plain } from '../terminal/text.ts';
import { failureLines, outcomesOf, outcomesText } from './outcomes.ts';

/** `12 done, 3 skipped, 1 failed`. */
export function doneText({ succeeded, skipped, failed }: Job): string {
  return [
    `${succeeded} done`,
    ...(skipped === 0 ? [] : [`${skipped} skipped`]),
    ...(failed === 0 ? [] : [`${failed} failed`]),
  ].join(', ');
}

export function paintJobStatus(status: Job['status'], paint: Paint): string {
  if (status === 'completed') return paint.green(status);
  if (status === 'failed') return paint.red(status);
  return status === 'running' ? paint.cyan(status) : paint.dim(status);
}

/** A job as text, one field per line. */
export function jobText(job: Job, nowMs: number, paint: Paint): string {
  const startMs = Date.parse(job.created_at);
  const endMs = job.completed_at === null ? nowMs : Date.parse(job.completed_at);
  const { execution_ids: ids, ...conditions } = job.filter;
  const filter = Object.entries(conditions).map(([name, value]) => `${name} ${[value].flat().join(', ')}`);
  if (ids !== undefined) filter.push(ids.length === 1 ? (ids[0] ?? '') : `${ids.length} named executions`);
  const entries: [string, string][] = [
    ['job', job.id],
    ['action', job.action],
    ['filter', filter.length === 0 ? 'all executions' : plain(filter.join(' · '))],
    ['status', paintJobStatus(job.status, paint)],
    ['progress', `${job.processed} of ${job.matched ?? '?'}: ${doneText(job)}`],
    ['started', `${job.created_at} ${paint.dim(`(${ago(startMs, nowMs)}, by ${plain(job.created_by)})`)}`],
    [job.completed_at === null ? 'so far' : 'took', duration(endMs - startMs)],
  ];
  const outcomes = outcomesOf(job);
  if (outcomes !== null) {
    entries.push(['outcomes', outcomesText(outcomes)]);
    for (const line of failureLines(outcomes, paint)) entries.push(['failed again', line]);
  }
  if (job.reason !== null) entries.push(['reason', plain(job.reason)]);
  for (const { execution_id, error } of job.errors) entries.push(['error', paint.red(`${execution_id ?? ''} ${plain(error)}`)]);
  return fields(entries, paint);
}

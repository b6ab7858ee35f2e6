import type { JobRow } from '../../../store/port/resources/jobs.ts';
import type { RetryOutcomes } from '../../control/jobs/outcomes.ts';
import type { JobSelection } from '../../control/jobs/selection.ts';
import { parsed } from '../operations/codec.ts';
import { JOBS, JOBS_PAGE } from '../operations/jobs.ts';
import { errorGroupOf } from '../replies/error-group.ts';
import { cursorOf, fromCursor } from '../requests/cursor.ts';
import { toConditions, toSelection } from '../requests/execution-filter.ts';
import { timeOf } from '../requests/time-parameter.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import type { Services } from '../services.ts';
import { implement } from './implement.ts';

type Jobs = Services['control']['jobs'];

export const jobRoutes = implement(JOBS, {
  'POST /executions/bulk': async ({ body, context }, { control: { jobs } }) => {
    const { action, filter, all, reason } = body;
    const settings = { action, filter: toSelection(filter ?? {}), all: all ?? false, reason: reason ?? null };
    return withOutcomes(await jobs.start(settings, context), jobs);
  },

  'GET /jobs': async ({ query, tenantId }, { control: { jobs } }) => {
    const limit = limitOf(query.limit, JOBS_PAGE);
    const after = query.cursor === undefined ? null : fromCursor('job', query.cursor);
    const rows = await jobs.list(tenantId, { after, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return { jobs: page.map((row) => shown(row, null)), limit, nextCursor: last === undefined ? null : cursorOf(last.id) };
  },

  'GET /jobs/:id': async ({ params: { id }, query, tenantId, reply }, { control: { jobs }, polls }) => {
    const { waitMs = 0, updatedAfter } = query;
    if (waitMs === 0) return withOutcomes(await jobs.get(tenantId, id), jobs);
    const until = { waitMs, ...defined('updatedAfterMs', timeOf('updated_after', updatedAfter)) };
    return withOutcomes(await polls.run(reply, (signal) => jobs.settled(tenantId, id, until, signal)), jobs);
  },

  'POST /jobs/:id/cancel': async ({ params, context }, { control: { jobs } }) =>
    withOutcomes(await jobs.cancel(params.id, context), jobs),
});

async function withOutcomes(job: JobRow, jobs: Jobs) {
  return shown(job, await jobs.outcomes(job));
}

function shown(row: JobRow, outcomes: RetryOutcomes | null) {
  return {
    ...row,
    jobId: row.id,
    filter: toConditions(JSON.parse(row.filter) as JobSelection),
    processed: row.succeeded + row.skipped + row.failed,
    errors: parsed(row.errors),
    outcomes: outcomes && {
      ...outcomes,
      runningExecutionId: outcomes.newestRunning,
      errors: outcomes.errors.map(errorGroupOf),
    },
    createdBy: row.actorId,
  };
}

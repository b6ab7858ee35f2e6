import type { JobRow } from '../../../store/port/resources/jobs.ts';
import type { RetryOutcomes } from '../../control/jobs/outcomes.ts';
import type { JobSelection } from '../../control/jobs/selection.ts';
import { toErrorGroup } from '../replies/error-group.ts';
import { cursorOf, fromCursor } from '../requests/cursor.ts';
import { toJobConditions, toSelection } from '../requests/execution-filter.ts';
import { timeOf } from '../requests/time-parameter.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import {
  JOBS_PAGE,
  Job,
  JobById,
  JobList,
  type RetryOutcomes as JobOutcomes,
  JobQuery,
  JobsQuery,
  StartJob,
} from '../schemas/jobs.ts';
import { type Api, actionContext, identityOf, type Services, stringField } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

const tags = ['Jobs'];

export function jobRoutes(app: Api, { control: { jobs }, polls, nowMs }: Services): void {
  const withOutcomes = async (job: JobRow): Promise<Job> => toJob(job, await jobs.outcomes(job));

  app.post(
    '/executions/bulk',
    {
      config: { access: 'write', reducesLoad: (body) => ['cancel', 'pause'].includes(stringField(body, 'action')) },
      schema: {
        summary: 'Start a bulk job',
        description:
          'Cancels, retries, pauses or resumes every matching execution, oldest first, on behalf of the caller. Covers executions started before the job that match when their turn comes, or up to 1,000 named ones (`execution_ids`).',
        tags,
        operationId: 'startJob',
        body: StartJob,
        response: { 202: Job },
      },
    },
    async (request, reply) => {
      const { action, filter, all, reason } = request.body;
      const settings = { action, filter: toSelection(filter ?? {}), all: all ?? false, reason: reason ?? null };
      const job = await jobs.start(settings, actionContext(request, nowMs()));
      void reply.code(202);
      return withOutcomes(job);
    },
  );

  app.get(
    '/jobs',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List bulk jobs, newest first',
        tags,
        operationId: 'listJobs',
        querystring: JobsQuery,
        response: { 200: JobList },
      },
    },
    async (request) => {
      const { cursor } = request.query;
      const limit = limitOf(request.query.limit, JOBS_PAGE);
      const after = cursor === undefined ? null : fromCursor('job', cursor);
      const rows = await jobs.list(identityOf(request).tenantId, { after, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        jobs: page.map((row) => toJob(row, null)),
        limit,
        next_cursor: rows.length > limit && last !== undefined ? cursorOf(last.id) : null,
      };
    },
  );

  app.get(
    '/jobs/:id',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get a bulk job',
        description:
          'With `wait_ms`, waits until the job has ended or, with `updated_after`, has made progress, at most that long. The `outcomes` of a retry tell what has become of the retried executions.',
        tags,
        operationId: 'getJob',
        params: JobById,
        querystring: JobQuery,
        response: { 200: Job },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { id } = request.params;
      const { wait_ms: waitMs = 0, updated_after } = request.query;
      if (waitMs === 0) return withOutcomes(await jobs.get(tenantId, id));
      const until = { waitMs, ...defined('updatedAfterMs', timeOf('updated_after', updated_after)) };
      return withOutcomes(await polls.run(reply, (signal) => jobs.settled(tenantId, id, until, signal)));
    },
  );

  app.post(
    '/jobs/:id/cancel',
    {
      config: { access: 'write', reducesLoad: () => true },
      schema: {
        summary: 'Cancel a bulk job',
        description: 'Stops the job. What it has done is not undone.',
        tags,
        operationId: 'cancelJob',
        params: JobById,
        response: { 200: Job },
      },
    },
    async (request) => withOutcomes(await jobs.cancel(request.params.id, actionContext(request, nowMs()))),
  );
}

function toJob(row: JobRow, outcomes: RetryOutcomes | null): Job {
  const { id, action, reason, status, matched, succeeded, skipped, failed } = row;
  return {
    id,
    job_id: id,
    action,
    filter: toJobConditions(JSON.parse(row.filter) as JobSelection),
    reason,
    status,
    matched,
    processed: succeeded + skipped + failed,
    succeeded,
    skipped,
    failed,
    errors: JSON.parse(row.errors) as Job['errors'],
    outcomes: outcomes === null ? null : toOutcomes(outcomes),
    created_at: timestamp(row.createdAtMs),
    updated_at: timestamp(row.updatedAtMs),
    completed_at: timeOrNull(row.completedAtMs),
    created_by: row.actorId,
  };
}

function toOutcomes(outcomes: RetryOutcomes): JobOutcomes {
  const { completed, failed, cancelled, running, paused, removed } = outcomes;
  return {
    completed,
    failed,
    cancelled,
    limit_exceeded: outcomes.limitExceeded,
    running,
    paused,
    removed,
    running_execution_id: outcomes.newestRunning,
    errors: outcomes.errors.map(toErrorGroup),
  };
}

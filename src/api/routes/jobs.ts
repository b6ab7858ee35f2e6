import type { JobRow } from '../../../store/port/resources/jobs.ts';
import type { ExecutionFilter } from '../../runtime/types/executions.ts';
import { cursorOf, fromCursor } from '../requests/cursor.ts';
import { toConditions, toFilter } from '../requests/execution-filter.ts';
import { ById } from '../schemas/fields.ts';
import { Job, JobList, JobQuery, JobsQuery, StartJob } from '../schemas/jobs.ts';
import { type Api, actionContext, identityOf, type Services, stringField } from '../services.ts';
import { timeOrNull, timestamp } from '../time.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const tags = ['Jobs'];

export function jobRoutes(app: Api, { control: { jobs }, polls, nowMs }: Services): void {
  app.post(
    '/executions/bulk',
    {
      config: { access: 'write', relieves: (body) => ['cancel', 'pause'].includes(stringField(body, 'action')) },
      schema: {
        summary: 'Cancel, retry, pause or resume every execution that matches',
        description:
          'Starts a job: it acts in the name of who asked, on the executions started before it that match when it comes to them, the oldest first.',
        tags,
        operationId: 'startJob',
        body: StartJob,
        response: { 202: Job },
      },
    },
    async (request, reply) => {
      const { action, filter, all, reason } = request.body;
      const asked = { action, filter: toFilter(filter ?? {}), all: all ?? false, reason: reason ?? null };
      const job = await jobs.start(asked, actionContext(request, nowMs()));
      void reply.code(202);
      return toJob(job);
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
      const limit = Math.min(request.query.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
      const after = cursor === undefined ? null : fromCursor('job', cursor);
      const rows = await jobs.list(identityOf(request).tenantId, { after, limit: limit + 1 });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        jobs: page.map(toJob),
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
        summary: 'Read a bulk job and its progress',
        description: 'With `wait_ms`: when it has ended, at the latest after that time.',
        tags,
        operationId: 'getJob',
        params: ById,
        querystring: JobQuery,
        response: { 200: Job },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const { id } = request.params;
      const waitMs = request.query.wait_ms ?? 0;
      if (waitMs === 0) return toJob(await jobs.get(tenantId, id));
      return toJob(await polls.run(reply, (signal) => jobs.settled(tenantId, id, waitMs, signal)));
    },
  );

  app.post(
    '/jobs/:id/cancel',
    {
      config: { access: 'write', relieves: () => true },
      schema: {
        summary: 'Stop a bulk job',
        description: 'What it has done stays done.',
        tags,
        operationId: 'cancelJob',
        params: ById,
        response: { 200: Job },
      },
    },
    async (request) => toJob(await jobs.cancel(request.params.id, actionContext(request, nowMs()))),
  );
}

function toJob(row: JobRow): Job {
  const { id, action, reason, status, matched, succeeded, skipped, failed } = row;
  return {
    id,
    job_id: id,
    action,
    filter: toConditions(JSON.parse(row.filter) as ExecutionFilter),
    reason,
    status,
    matched,
    processed: succeeded + skipped + failed,
    succeeded,
    skipped,
    failed,
    errors: JSON.parse(row.errors) as Job['errors'],
    created_at: timestamp(row.createdAtMs),
    updated_at: timestamp(row.updatedAtMs),
    completed_at: timeOrNull(row.completedAtMs),
    created_by: row.actorId,
  };
}

import { type Static, Type } from 'typebox';
import { appliedLimit, integer, limit, listOf, nullable, text, timestamp } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const Worker = Type.Object(
  {
    id: text('Name of the worker.'),
    worker_id: text('The same as `id`.'),
    kind: Type.Enum(['external', 'runtime'] as const, {
      description: '`external`: claims work over HTTP; `runtime`: a server that does work in process.',
    }),
    queue_types: listOf(Type.String(), 'Queues from which the worker claims.'),
    queues: listOf(Type.String(), 'The same as `queue_types`.'),
    tools: nullable(Type.Array(Type.String()), 'Tools that the worker or the server serves; null = every tool of its queues.'),
    status: Type.Enum(['active', 'idle'] as const, { description: '`idle`: not seen for a minute.' }),
    first_seen_at: timestamp('When the worker was first seen.'),
    last_seen_at: timestamp('When the worker was last seen.'),
    in_flight: integer('Items the worker holds; 1,000 = so many or more.'),
    claimed_total: integer('Items the worker has claimed so far.'),
    waiting: integer('Items that wait and that the worker or the server does; 0 = nothing of it waits.'),
  },
  { description: 'A worker.' },
);

export const InProcessWork = Type.Object(
  {
    running: integer('Attempts that are running.'),
    waiting: integer('Attempts that wait for a slot; their nodes are `queued`.'),
    oldest_waiting_since: nullable(
      timestamp('A time.'),
      'Since when the longest-waiting attempt has waited; null if none waits.',
    ),
  },
  { description: 'In-process attempts of the tenant in the server that answers.' },
);

const unclaimed = {
  queue: text('Queue on which the items wait.'),
  tool: text('Tool that they ask for.'),
  waiting: integer('Number of items; 10,000 = so many or more.'),
  oldest_at: timestamp('When the oldest of them was put on the queue.'),
};

export const UnservedWork = Type.Object(unclaimed, {
  description: 'Work that waits, and that no worker and no server does.',
});

export const WaitingWork = Type.Object(
  { ...unclaimed, served_by: integer('Number of workers and servers that do it, seen in the last 90 seconds; 0 = none.') },
  { description: 'Work that waits for a worker.' },
);

export const WORKERS_PAGE = { defaultLimit: 1_000, maxLimit: 1_000 };

export const WorkersQuery = Type.Object({
  limit: limit(WORKERS_PAGE),
  cursor: Type.Optional(text('`next_cursor` of the previous page.', { maxLength: 2_048 })),
});
/** Which workers are listed. */
export type WorkersQuery = Static<typeof WorkersQuery>;

export const WorkerList = Type.Object(
  {
    workers: listOf(Worker, 'Runtimes and workers of the tenant, seen in the last ten minutes: runtimes first, by id.'),
    limit: appliedLimit,
    next_cursor: nullable(Type.String(), 'Cursor of the next page; null if there is none.'),
    in_process: InProcessWork,
    waiting: listOf(WaitingWork, 'Work that no worker has claimed yet, by queue and tool; at most 200.'),
    unserved: listOf(UnservedWork, 'Waiting work that none of them does, by queue and tool; at most 200.'),
  },
  { description: 'Who works for the tenant.' },
);
export type WorkerList = Static<typeof WorkerList>;

export const WORKERS = {
  tag: 'Workers',
  operations: {
    'GET /workers': {
      id: 'listWorkers',
      access: 'read',
      summary: 'List workers',
      description:
        'The runtimes that were seen in the last ten minutes, and external workers of the tenant, 1,000 of each at most; beside each page the work that waits, and the in-process work of the server that answers.',
      query: WorkersQuery,
      reply: WorkerList,
    },
  },
} satisfies Resource;

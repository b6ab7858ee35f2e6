import { type Static, Type } from 'typebox';
import { integer, listOf, text, timestamp } from './fields.ts';

export const BusyWork = Type.Object(
  {
    running: integer('Attempts that are running.'),
    waiting: integer('Attempts that wait for a slot.'),
    oldest_waiting_since: timestamp('Since when the longest-waiting attempt has waited.'),
  },
  { description: 'In-process attempts of all tenants.' },
);

export const Health = Type.Object(
  {
    status: Type.Literal('ok', { description: 'The server answers.' }),
    version: text('Version of the runtime.'),
    database: Type.Optional(
      Type.Enum(['unavailable', 'full', 'read_only', 'replaced'] as const, {
        description:
          'What is wrong with the database; absent when it can be read and written. `replaced`: the file of an SQLite database was removed or replaced while the server runs; restart the server.',
      }),
    ),
    database_code: Type.Optional(
      text('Code with which requests that write are refused meanwhile, such as `store_full`. Present with `database`.'),
    ),
    in_process: Type.Optional(BusyWork),
    clock_ahead_ms: Type.Optional(
      integer(
        "Milliseconds by which the clock of the server's machine is ahead of the database's (negative: behind); absent below five seconds.",
      ),
    ),
    corrupt_executions: Type.Optional(
      integer(
        'Number of corrupt executions found since the server started: a step failed with an internal error and ended the execution as failed, or the execution cannot be loaded. The log of the server names each. Absent when there are none.',
        { minimum: 1 },
      ),
    ),
  },
  { description: 'The state of the server.' },
);
export type Health = Static<typeof Health>;

export const Liveness = Type.Object(
  { status: Type.Literal('ok', { description: 'The process answers. It says nothing of the database.' }) },
  { description: 'The process is alive.' },
);
export type Liveness = Static<typeof Liveness>;

export const ReadinessChecks = Type.Object(
  {
    database: Type.Enum(['ok', 'unavailable', 'full', 'read_only', 'replaced', 'unknown'] as const, {
      description: 'Whether the database can be read and written, as in `GET /health`. `unknown`: the server is starting.',
    }),
    migrations: Type.Enum(['ok', 'pending', 'newer', 'unknown'] as const, {
      description:
        'Whether the schema of the database is that of this release. `pending`: the server is starting, and migrates it; `newer`: a later release has migrated it; `unknown`: the database cannot be read.',
    }),
    backlog: Type.Enum(['ok', 'overloaded'] as const, {
      description: 'Whether requests that add work are accepted, or too many messages wait for their commit.',
    }),
    shutdown: Type.Enum(['ok', 'shutting_down'] as const, { description: 'Whether the server is stopping.' }),
  },
  { description: 'The checks of a server. Anything but `ok` and `unknown` has failed.' },
);
export type ReadinessChecks = Static<typeof ReadinessChecks>;

export const Readiness = Type.Object(
  { status: Type.Literal('ready', { description: 'Requests may be sent to this server.' }), checks: ReadinessChecks },
  { description: 'The server is ready.' },
);
export type Readiness = Static<typeof Readiness>;

export const Unreadiness = Type.Object(
  {
    status: Type.Literal('not_ready', { description: 'Requests should be sent to another server.' }),
    error: text('Says which checks have failed.'),
    code: Type.Literal('not_ready', { description: 'Stable code.' }),
    failed: listOf(Type.Enum(['database', 'migrations', 'backlog', 'shutdown'] as const), 'The checks that have failed.'),
    checks: ReadinessChecks,
  },
  { description: 'The server is not ready.' },
);
export type Unreadiness = Static<typeof Unreadiness>;

export const Root = Type.Object(
  {
    name: Type.Literal('jamjet', { description: 'What this is.' }),
    version: text('Version of the server.'),
    docs: text('Page with the documentation of the API, relative to this URL.'),
    openapi: text('The OpenAPI document, relative to this URL.'),
    health: text('State of the server, relative to this URL.'),
  },
  { description: 'Where to go on from the root.' },
);

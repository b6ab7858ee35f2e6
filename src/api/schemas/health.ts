import { type Static, Type } from 'typebox';
import { integer, text, timestamp } from './fields.ts';

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

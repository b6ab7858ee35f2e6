import { type Static, Type } from 'typebox';
import { Timestamp } from './fields.ts';

export const Health = Type.Object({
  status: Type.Literal('ok'),
  version: Type.String(),
  database: Type.Optional(
    Type.Union([Type.Literal('unavailable'), Type.Literal('full'), Type.Literal('read_only'), Type.Literal('replaced')], {
      description:
        'What is wrong with the database; absent when it can be read and written. `replaced`: the file of an SQLite database was removed or replaced while the server runs, which must be restarted.',
    }),
  ),
  database_code: Type.Optional(
    Type.String({
      description: 'The code with which requests that write are refused meanwhile: `store_full`, for one. Comes with `database`.',
    }),
  ),
  in_process: Type.Optional(
    Type.Object(
      { running: Type.Integer(), waiting: Type.Integer(), oldest_waiting_since: Timestamp },
      { description: 'In-process attempts of all tenants; absent while none waits for a slot.' },
    ),
  ),
  clock_ahead_ms: Type.Optional(
    Type.Integer({
      description:
        "By how much the clock of the server's machine is ahead of the database's (negative: behind); absent below five seconds.",
    }),
  ),
  corrupt_executions: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        'Executions that this server has found to be corrupt since it started: a step of theirs failed by an internal error, so that they ended as failed, or they cannot be loaded. The log of the server names each. Absent when there are none.',
    }),
  ),
});
export type Health = Static<typeof Health>;

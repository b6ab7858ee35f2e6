import { type Static, Type } from 'typebox';

export const Health = Type.Object({
  status: Type.Literal('ok'),
  version: Type.String(),
  database: Type.Optional(
    Type.Union([Type.Literal('unavailable'), Type.Literal('full'), Type.Literal('read_only')], {
      description: 'What is wrong with the database; absent when it can be read and written.',
    }),
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

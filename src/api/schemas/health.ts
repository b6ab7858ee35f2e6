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
});
export type Health = Static<typeof Health>;

import { type Static, Type } from 'typebox';
import { defineKind, type KindDefinition } from './kind.ts';

export const LimitExceeded = Type.Object(
  { type: Type.Literal('limit_exceeded') },
  { description: 'Ends the execution as `limit_exceeded`.' },
);
export type LimitExceeded = Static<typeof LimitExceeded>;

export const limitExceeded: KindDefinition<LimitExceeded> = defineKind<LimitExceeded>({
  type: 'limit_exceeded',
  schema: LimitExceeded,
  normalise: () => ({ type: 'limit_exceeded' }),
  behaviour: () => 'control',
  targets: () => [],
  endsExecution: true,
  syntax: { keys: {}, attempts: false, next: false },
  testReplies: 'none',
  diagramShape: 'limit_exceeded',
  letter: '!',
});

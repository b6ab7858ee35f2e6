import { type Static, Type } from 'typebox';
import type { KindDefinition } from './kind.ts';

/** Ends the execution as `limit_exceeded`. */
export const LimitExceeded = Type.Object({
  type: Type.Literal('limit_exceeded'),
});
export type LimitExceeded = Static<typeof LimitExceeded>;

export const limitExceeded: KindDefinition<LimitExceeded> = {
  type: 'limit_exceeded',
  schema: LimitExceeded,
  normalise: () => ({ type: 'limit_exceeded' }),
  behaviour: () => 'control',
  queue: () => null,
  policyNames: () => [],
  tool: () => null,
  targets: () => [],
  mapping: () => null,
  payload: () => ({}),
  objectResultIsPatch: false,
};

import { type Static, Type } from 'typebox';
import { optional } from '../ir/reading/fields.ts';
import { type KindDefinition, namedTargets } from './kind.ts';

/** Starts all its branches at once. */
export const Parallel = Type.Object({
  type: Type.Literal('parallel'),
  branches: Type.Array(Type.String()),
  /** Where those branches lead that lead nowhere themselves. */
  join: Type.Optional(Type.String()),
});
export type Parallel = Static<typeof Parallel>;

export const parallel: KindDefinition<Parallel> = {
  type: 'parallel',
  schema: Parallel,
  normalise: (fields) => ({
    type: 'parallel',
    branches: [...new Set(fields.names('branches'))],
    ...optional('join', fields.name('join')),
  }),
  behaviour: () => 'control',
  queue: () => null,
  policyNames: () => [],
  tool: () => null,
  targets: (kind) => [...kind.branches.map((to) => ({ role: 'branch', to })), ...namedTargets(kind, 'join')],
  mapping: () => null,
  payload: () => ({}),
  objectResultIsPatch: false,
};

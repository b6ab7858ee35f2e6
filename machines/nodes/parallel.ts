import { type Static, Type } from 'typebox';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { namedTargets } from './shared-fields.ts';

export const Parallel = Type.Object(
  {
    type: Type.Literal('parallel'),
    branches: Type.Array(Type.String(), { description: 'Ids of the nodes that are started, besides the targets of its edges.' }),
    join: Type.Optional(
      Type.String({ description: 'Node id, or `end`: where those branches lead whose first node has no edges of its own.' }),
    ),
  },
  { description: 'Starts all its branches at once.' },
);
export type Parallel = Static<typeof Parallel>;

export const parallel: KindDefinition<Parallel> = defineKind<Parallel>({
  type: 'parallel',
  schema: Parallel,
  normalise: (fields) => ({
    type: 'parallel',
    branches: [...new Set(fields.names('branches'))],
    ...optional('join', fields.name('join')),
  }),
  distinctiveKeys: ['branches', 'join'],
  behaviour: () => 'control',
  targets: (kind) => [...kind.branches.map((to) => ({ role: 'branch', to })), ...namedTargets(kind, 'join')],
  branching: 'all',
  branches: (kind) => kind.branches.map((target) => ({ condition: null, target })),
  branchTarget: (kind) => kind.join ?? null,
  syntax: {
    keys: { join: { holds: 'target' }, branches: { holds: 'starts' } },
    attempts: false,
    complete(kind) {
      if (kind.join === 'end') delete kind.join;
    },
  },
  testReplies: 'none',
  forwardsInput: true,
  diagramShape: 'parallel',
  letter: '=',
});

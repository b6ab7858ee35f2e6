import { names, target } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';

const PARALLEL = declareKind({
  type: 'parallel',
  description: 'Starts all its branches at once.',
  attempts: false,
  fields: {
    join: target('Node id, or `end`: where those branches lead whose first node has no edges of its own.', {
      names: 'target',
      distinctive: true,
    }),
    branches: names('Ids of the nodes that are started, besides the targets of its edges.', {
      names: 'target',
      holds: 'starts',
      distinct: true,
      distinctive: true,
    }),
  },
});

export const parallel = defineKind(PARALLEL, {
  behaviour: () => 'control',
  targets: ({ branches, join }) => [
    ...branches.map((to) => ({ role: 'branch', to })),
    ...(join === undefined ? [] : [{ role: 'join', to: join }]),
  ],
  branching: 'all',
  branches: (kind) => kind.branches.map((target) => ({ condition: null, target })),
  branchTarget: (kind) => kind.join ?? null,
  complete(kind) {
    if (kind.join === 'end') delete kind.join;
  },
  testReplies: 'none',
  forwardsInput: true,
  diagramShape: 'parallel',
  letter: '=',
});

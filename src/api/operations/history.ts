import { type Static, Type } from 'typebox';
import { Mismatch, PastDecision } from '../schemas/errors.ts';
import {
  anyJson,
  anyObject,
  count,
  described,
  flag,
  integer,
  limit,
  listOf,
  name,
  optional,
  sequence,
  text,
  timestamp,
} from '../schemas/fields.ts';
import { ExecutionById, executionStatus, ForkedFrom } from './executions.ts';
import type { Resource } from './operation.ts';

export const SNAPSHOTS_PAGE = { defaultLimit: 100, maxLimit: 500 };

export const StateQuery = Type.Object({
  at: Type.Optional(sequence('Sequence of an event. Default: the last event.')),
});
/** At which event the state is read. */
export type StateQuery = Static<typeof StateQuery>;

export const PastActiveNode = Type.Object(
  {
    node_id: text('Id of the node.'),
    phase: text(
      '`queued`, `running`, `backoff` (waits for its retry), `held` (awaits an approval required by a policy), `approval`, `waiting` (for an event or a timer), `child` (its child execution runs), `items` (works on a list), `waiting_for_capacity` (its child cannot start yet), `kept` (deferred until the execution is resumed), `failed` (reset by a retry, about to run again).',
    ),
    attempt: integer('Attempt, counted from 0.'),
    activation: integer('Visit to the node: 1, 2, 3 …'),
    item: Type.Optional(integer('Item of the list that the node works on, counted from 0; absent if it works on none.')),
  },
  { description: 'A node that was active.' },
);
export type PastActiveNode = Static<typeof PastActiveNode>;

export const PastState = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    sequence: integer('Sequence of the last event of the step: the requested one, or one before it.'),
    requested: integer('The sequence that was requested.'),
    status: executionStatus('Status at that point.'),
    state: anyObject('State at that point.'),
    active: listOf(PastActiveNode, 'Nodes that were active.'),
    created_at: timestamp('When the step was taken.'),
  },
  { description: 'An execution as it was after one of its steps.' },
);
export type PastState = Static<typeof PastState>;

export const SnapshotsQuery = Type.Object({
  after: Type.Optional(count('Only snapshots after this sequence: that of the last snapshot of the previous page. Default 0.')),
  limit: limit(SNAPSHOTS_PAGE),
});
/** Which snapshots are listed. */
export type SnapshotsQuery = Static<typeof SnapshotsQuery>;

export const SnapshotContext = Type.Object(
  {
    state: anyObject('State of the execution.'),
    active: listOf(PastActiveNode, 'Nodes that were active.'),
    steps_executed: integer('Number of completed nodes.'),
    error: Type.Optional(text('Why the execution failed or was cancelled; absent otherwise.')),
  },
  { description: 'What the machine knew besides its state value.' },
);

export const Snapshot = Type.Object(
  {
    sequence: integer('Sequence of the last event of the step.'),
    created_at: timestamp('When the step was taken.'),
    events: listOf(
      anyObject('A machine event: its `type` and its fields.'),
      'Machine events of the step, in order; the first of all is `xstate.init`. If the step did not move the machine: the event of the log with which it began.',
    ),
    status: executionStatus('Status after the step.'),
    value: anyJson('State value of the XState machine that `/executions/{id}/machine` returns as `xstate`.'),
    context: SnapshotContext,
  },
  { description: 'The machine of an execution after one of its steps.' },
);
export type Snapshot = Static<typeof Snapshot>;

export const SnapshotList = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    sequence: integer('Sequence of the last event of the log; `after` equals it after the last page.'),
    status: executionStatus('Current status of the execution.'),
    snapshots: listOf(Snapshot, 'Oldest first. A page may be shorter than `limit`, but is empty only at the end of the log.'),
    limit: integer('The page size that was applied.'),
  },
  { description: 'A page of snapshots.' },
);
export type SnapshotList = Static<typeof SnapshotList>;

export const ReplayMismatch = Type.Object(
  {
    sequence: integer('Sequence of the event at which it shows.'),
    problem: text('What differs.'),
  },
  { description: 'Where a replayed log differs from what is stored.' },
);

export const ReplayedExecution = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    events: integer('Number of events in the log.'),
    sequence: integer('Sequence of the last event.'),
    matches: flag('Whether the replay gives what is stored.'),
    redacted: Type.Optional(
      flag(
        'True if nothing was replayed: the execution has ended, and its data policy erases what its log could be replayed from. Absent otherwise.',
      ),
    ),
    mismatch: Type.Optional(described(ReplayMismatch, 'The first difference; absent if there is none.')),
  },
  { description: 'The result of replaying the log of an execution.' },
);
export type ReplayedExecution = Static<typeof ReplayedExecution>;

export const ForkExecution = Type.Object(
  {
    at_sequence: sequence(
      'The fork continues from the last step that had ended by this event; within the first step, from its end.',
    ),
    state_patch: optional(
      anyObject('A JSON merge patch (RFC 7396).'),
      'JSON merge patch (RFC 7396) applied to the state before the fork continues.',
    ),
    workflow_version: optional(name('A version.'), 'Version the fork runs. Default: the revision of the original execution.'),
    dry_run: optional(
      Type.Boolean(),
      'Start nothing; only report whether the log fits the version and which decisions the fork would include.',
    ),
    keep_decisions: optional(
      Type.Boolean(),
      'Copy decisions even if the person was shown something else. Operators only; recorded in the log of the fork.',
    ),
  },
  { description: 'Where to fork, and what to change.' },
);
export type ForkExecution = Static<typeof ForkExecution>;

export const ForkQuery = Type.Object({ dry_run: Type.Optional(flag('The same as in the body, which it overrides.')) });
/** How an execution is forked. */
export type ForkQuery = Static<typeof ForkQuery>;

export const ForkedExecution = Type.Object(
  {
    execution_id: text('Id of the fork.'),
    forked_from: described(ForkedFrom, 'Where the fork began.'),
  },
  { description: 'An execution was forked.' },
);
export type ForkedExecution = Static<typeof ForkedExecution>;

export const ForkCheck = Type.Object(
  {
    forked_from: described(ForkedFrom, 'Where the fork would begin.'),
    fits: flag('Whether the log fits the requested version.'),
    mismatch: Type.Optional(described(Mismatch, 'Why the log does not fit; absent if it fits.')),
    decisions: listOf(PastDecision, 'Decisions that people made before that point, in the order of the log.'),
  },
  { description: 'The result of a dry run.' },
);
export type ForkCheck = Static<typeof ForkCheck>;

export const HISTORY = {
  tag: 'Executions',
  operations: {
    'GET /executions/:id/state': {
      id: 'getExecutionState',
      access: 'read',
      summary: 'Get the state at an earlier point',
      description:
        'The state after the last step that had ended at or before event `at`; within the first step, the state after it. Replays the log up to that point.',
      params: ExecutionById,
      query: StateQuery,
      reply: PastState,
    },
    'GET /executions/:id/snapshots': {
      id: 'listExecutionSnapshots',
      access: 'read',
      summary: 'List the states of the machine after every step',
      description:
        'Oldest first: the machine events of the step, the state value after it, and the state. Failures that a later retry reset are shown as they were. Pass the `sequence` of the last snapshot as `after` to get the next page.',
      params: ExecutionById,
      query: SnapshotsQuery,
      reply: SnapshotList,
    },
    'GET /executions/:id/replay': {
      id: 'replayExecution',
      access: 'read',
      summary: 'Replay the log and compare the result with what is stored',
      description: 'No tool, worker or other server is called.',
      params: ExecutionById,
      reply: ReplayedExecution,
    },
    'POST /executions/:id/fork': {
      id: 'forkExecution',
      access: 'write',
      summary: 'Fork an execution',
      description:
        'Starts an execution that continues from a point of another one. It has a copy of the log up to that point; active nodes begin again, and timers are set again from now. `dry_run` returns 200 and only reports whether the log fits `workflow_version` and which decisions the fork would include. 409 if the execution had ended by then, if the log does not fit, or (`decision_would_change`) if a person decided on something else than the patched state.',
      params: ExecutionById,
      query: ForkQuery,
      body: ForkExecution,
      reply: ForkedExecution,
      status: 201,
      otherReplies: { 200: ForkCheck },
    },
  },
} satisfies Resource;

import { type Static, type TSchema, Type } from 'typebox';
import type { Status } from '../../../machines/run.ts';
import {
  anyJson,
  anyObject,
  appliedLimit,
  appliedOffset,
  byId,
  described,
  ExecutionLabels,
  flag,
  integer,
  limit,
  listOf,
  name,
  nameOrEmpty,
  nullable,
  offset,
  optional,
  text,
  timestamp,
  waitMs,
} from '../schemas/fields.ts';
import { warningsOfReply } from '../schemas/warnings.ts';
import type { Resource } from './operation.ts';

export const EXECUTIONS_PAGE = { defaultLimit: 50, maxLimit: 1_000 };

export const STATUSES = [
  'pending',
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
  'limit_exceeded',
] as const satisfies readonly Status[];

export const executionStatus = (description: string) => Type.Unsafe<Status>({ type: 'string', enum: STATUSES, description });

export const ExecutionById = byId('Id of the execution: `exec_` and 32 hex digits, or the same as a UUID.');

export const StartExecution = Type.Object(
  {
    workflow_id: name('Workflow to start.'),
    workflow_version: optional(nameOrEmpty('A version.'), 'Version to start. Default: the one registered last.'),
    input: Type.Optional(anyJson('Input, usually an object. Default `{}`.')),
    labels: optional(ExecutionLabels, 'Labels by which the execution can be found. Keys must not contain a colon.'),
    thread: optional(
      text('A thread.'),
      'Id of the thread that models and agents without a thread of their own continue. Default: none.',
    ),
    key: optional(
      text('A key.', { minLength: 1, maxLength: 256 }),
      'One live execution of the workflow has a key at most, from its start until it ends. 409 `already_running`, which names it, while one has it. Default: none.',
    ),
    if_running: optional(
      Type.Enum(['return'] as const),
      'What is done while an execution has the key. `return`: that one is the reply, with 200. Default: 409.',
    ),
    start_at: optional(timestamp('A time.'), 'When it begins, as RFC 3339; it is `pending` until then. Default: at once.'),
    delay: Type.Optional(
      Type.Union([Type.Number({ minimum: 0 }), Type.String({ maxLength: 64 }), Type.Null()], {
        description: 'After which time it begins, in the place of `start_at`: seconds, or a text such as `90s`, `1.5h` or `2d`.',
      }),
    ),
    subject_token: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 32_768,
        pattern: '^[\\x21-\\x7e]+$',
        description:
          'Token of the person on whose behalf the execution acts, for workflows with `oauth`. Never part of input, state, log or audit.',
      }),
    ),
  },
  { description: 'What to start, and with which input.' },
);
export type StartExecution = Static<typeof StartExecution>;

export const StartedExecution = Type.Object(
  {
    execution_id: text('Id of the new execution.'),
    already_running: Type.Optional(flag('True: it was running already with the key of the request, which has started nothing.')),
    warnings: warningsOfReply,
  },
  { description: 'An execution was started.' },
);
export type StartedExecution = Static<typeof StartedExecution>;

const oneOrSeveral = (description: string) =>
  Type.Union([Type.String({ maxLength: 2048 }), Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 64 })], {
    description,
  });

export const ExecutionConditions = Type.Object(
  {
    status: Type.Optional(oneOrSeveral('Only executions with one of these statuses, as a list or separated by commas.')),
    workflow_id: Type.Optional(name('Only executions of this workflow.')),
    workflow_version: Type.Optional(name('Only executions of this version. Needs `workflow_id`.')),
    label: Type.Optional(
      oneOrSeveral('Only executions with this label: `key:value`, or `key` for any value. All of several must match.'),
    ),
    created_after: Type.Optional(timestamp('Only executions started then or later, in RFC 3339.')),
    created_before: Type.Optional(timestamp('Only executions started before then, in RFC 3339.')),
    parent_execution_id: Type.Optional(name('Only children of this execution.')),
    error: Type.Optional(
      text(
        'Only executions with this error, or in the group of this name (`error` of a group of `GET /executions/errors`): numbers, ids and quoted texts may differ. Without `status`, failed ones.',
        { minLength: 1, maxLength: 4096 },
      ),
    ),
  },
  { description: 'Which executions are selected: all of the given conditions must hold.' },
);
export type ExecutionConditions = Static<typeof ExecutionConditions>;

export const ExecutionsQuery = Type.Object({
  ...ExecutionConditions.properties,
  limit: limit(EXECUTIONS_PAGE),
  offset,
  cursor: Type.Optional(text('`next_cursor` of an earlier page. `offset` counts from there.', { maxLength: 64 })),
  id: Type.Optional(
    text(
      'Only executions whose id ends with these 4 to 32 hex digits or, if none does, contains them. Looks at the newest million. Cannot be combined with conditions or `offset`.',
      { maxLength: 64 },
    ),
  ),
  include: Type.Optional(Type.Literal('state', { description: '`state`: each execution with its state.' })),
});
/** Which executions are listed. */
export type ExecutionsQuery = Static<typeof ExecutionsQuery>;

export const ForkedFrom = Type.Object(
  {
    execution_id: text('Execution that was forked.'),
    sequence: integer('Sequence of the last event that both executions have in common.'),
  },
  { description: 'Where a fork began.' },
);
export type ForkedFrom = Static<typeof ForkedFrom>;

export const ExecutionItem = Type.Object(
  {
    execution_id: text('Id of the execution: `exec_` and 32 hex digits.'),
    id: text('The same as `execution_id`.'),
    tenant_id: text('Tenant to which the execution belongs.'),
    workflow_id: text('Workflow that runs.'),
    workflow_version: text('Version of the workflow.'),
    revision: text('SHA-256 of the definition to which the execution is pinned.'),
    status: executionStatus(
      'Status. `pending`: it was started for later. `paused`: it awaits a decision, an event or a time, or an operator has paused it (`held`).',
    ),
    labels: Type.Record(Type.String(), Type.String(), { description: 'Labels given at the start.' }),
    steps_executed: integer('Number of completed nodes; skipped nodes do not count.'),
    sequence: integer('Sequence of the last event.'),
    segment_number: integer('Which segment of its chain it is (`continue_as_new`): 0, 1, 2 …'),
    previous_execution_id: Type.Optional(text('Execution that this one continues; absent if it is the first.')),
    first_execution_id: Type.Optional(text('First execution of its chain; absent if it is that itself.')),
    created_at: timestamp('When the execution was started.'),
    started_at: timestamp('The same as `created_at`.'),
    updated_at: timestamp('When the last event was written.'),
    completed_at: nullable(timestamp('A time.'), 'When the execution ended; null until then.'),
    parent_execution_id: Type.Optional(text('Execution that started this one as its child; absent if none did.')),
    forked_from: Type.Optional(described(ForkedFrom, 'Where the fork began; absent if the execution is not a fork.')),
    key: Type.Optional(text('The key that it has, or had until it ended; absent if it was started without.')),
    thread: Type.Optional(text('Id of the thread with which it was started; absent if it was started without.')),
    error: Type.Optional(text('Why the execution failed or was cancelled; absent otherwise.')),
    detail: Type.Optional(text('The same as `error`.')),
    state: Type.Optional(anyObject('Current state. In lists only with `include=state`.')),
    current_state: Type.Optional(anyObject('The same as `state`. In lists only under `/compat` and `/api/v1`.')),
    initial_input: Type.Optional(anyJson('Input of the execution. In lists only under `/compat` and `/api/v1`.')),
  },
  { description: 'An execution in a list.' },
);
export type ExecutionItem = Static<typeof ExecutionItem>;

export const ExecutionList = Type.Object(
  {
    executions: listOf(ExecutionItem, 'Newest first.'),
    limit: appliedLimit,
    offset: appliedOffset,
    next_cursor: nullable(
      Type.String(),
      'Cursor of the next page; null if there is none. A page may be shorter than `limit` and still have a next one.',
    ),
  },
  { description: 'A page of executions.' },
);
export type ExecutionList = Static<typeof ExecutionList>;

const ofStatus = (status: string) => integer(`Number of executions that are \`${status}\`.`);

export const StatusCounts = Type.Object(
  {
    pending: ofStatus('pending'),
    running: ofStatus('running'),
    paused: ofStatus('paused'),
    completed: ofStatus('completed'),
    failed: ofStatus('failed'),
    cancelled: ofStatus('cancelled'),
    limit_exceeded: ofStatus('limit_exceeded'),
  } satisfies Record<(typeof STATUSES)[number], TSchema>,
  { description: 'Numbers of matching executions by status.' },
);

export const ExecutionCounts = Type.Object(
  {
    counts: StatusCounts,
    total: integer('Number of matching executions.'),
    examined: integer(
      'Number of executions that were looked at: all that match; with `error`, the newest 10,000 that the other conditions select.',
    ),
    more: flag('With `error`: older executions may match as well and were not looked at.'),
  },
  { description: 'How many executions match.' },
);
export type ExecutionCounts = Static<typeof ExecutionCounts>;

export const ERROR_GROUPS_PAGE = { defaultLimit: 50, maxLimit: 1_000 };

const { error: _error, ...conditionsBesideError } = ExecutionConditions.properties;

export const ExecutionErrorsQuery = Type.Object({ ...conditionsBesideError, limit: limit(ERROR_GROUPS_PAGE) });
/** Which executions have their errors grouped. */
export type ExecutionErrorsQuery = Static<typeof ExecutionErrorsQuery>;

export const ErrorGroup = Type.Object(
  {
    error: text('The error with `#` in the place of numbers and ids, and `…` in that of quoted texts.'),
    count: integer('Number of executions that ended with it.'),
    workflow_ids: listOf(Type.String(), 'The first few workflows in which it occurred.'),
    example_execution_id: text('The execution of the group that was started last.'),
    example_error: text('The error of that execution, as it is.'),
    newest_at: timestamp('When that execution ended.'),
  },
  { description: 'Executions with the same error.' },
);
export type ErrorGroup = Static<typeof ErrorGroup>;

export const ErrorGroups = Type.Object(
  {
    groups: listOf(ErrorGroup, 'The largest groups, at most `limit`.'),
    total_groups: integer('Number of groups.'),
    examined: integer('Number of executions that were looked at.'),
    more: flag('Older executions match as well and were not looked at.'),
  },
  { description: 'Executions by their error.' },
);
export type ErrorGroups = Static<typeof ErrorGroups>;

export const ExecutionQuery = Type.Object({
  wait_ms: Type.Optional(
    waitMs('Wait until the execution has ended or is paused, at most this many milliseconds. At most 60000.'),
  ),
});

export const Execution = Type.Object(
  {
    ...ExecutionItem.properties,
    state: anyObject('Current state.'),
    current_state: anyObject('The same as `state`.'),
    input: anyJson('Input of the execution.'),
    initial_input: anyJson('The same as `input`.'),
    held: Type.Optional(
      Type.Literal(true, { description: 'An operator has paused the execution: it is `paused` until resumed. Else absent.' }),
    ),
    held_reason: Type.Optional(text('Why the operator paused it; absent if no reason was given.')),
    start_at: Type.Optional(timestamp('When it begins, or began; absent if it was not started for later.')),
    next_execution_id: Type.Optional(text('Execution that continues this one (`continue_as_new`); absent if none does.')),
    current_execution_id: Type.Optional(
      text('Last execution that continues it, of which there may be several; absent if none does.'),
    ),
    output: Type.Optional(anyObject('The final state. Absent until the execution has completed.')),
  },
  { description: 'An execution with its state.' },
);
export type Execution = Static<typeof Execution>;

export const CancelExecution = Type.Object(
  { reason: optional(Type.String({ maxLength: 1024 }), 'Why; kept with the execution.') },
  { description: 'Why the execution is cancelled. The body may be missing.' },
);
export type CancelExecution = Static<typeof CancelExecution>;

export const CancelledExecution = Type.Object(
  {
    execution_id: text('Id of the execution.'),
    status: Type.Literal('cancelled', { description: 'Its status from now on.' }),
  },
  { description: 'An execution was cancelled.' },
);
export type CancelledExecution = Static<typeof CancelledExecution>;

export const EXECUTIONS = {
  tag: 'Executions',
  operations: {
    'POST /executions': {
      id: 'startExecution',
      access: 'write',
      isShed: true,
      summary: 'Start an execution',
      description: 'Starts the version registered last unless `workflow_version` names another.',
      body: StartExecution,
      reply: StartedExecution,
      status: 201,
      otherReplies: { 200: StartedExecution },
    },
    'GET /executions': {
      id: 'listExecutions',
      access: 'read',
      summary: 'List executions, newest first',
      description:
        'Without states unless `include=state` is given. Pass `next_cursor` as `cursor` to get the next page; executions started meanwhile do not shift it.',
      query: ExecutionsQuery,
      reply: ExecutionList,
    },
    'GET /executions/counts': {
      id: 'countExecutions',
      access: 'read',
      summary: 'Count executions by their status',
      description:
        'Exact: every execution that matches counts once, with the status it has when it is counted. A million take about a fifth of a second. With `error`, the newest 10,000 that the other conditions select are looked at; `more` says whether there are others.',
      query: ExecutionConditions,
      reply: ExecutionCounts,
    },
    'GET /executions/errors': {
      id: 'listExecutionErrors',
      access: 'read',
      summary: 'Group executions by their error',
      description:
        'Errors that differ in numbers, ids and quoted texts alone are one group. Without `status`, failed executions. Looks at the newest 10,000 that match; `more` says whether there are others.',
      query: ExecutionErrorsQuery,
      reply: ErrorGroups,
    },
    'GET /executions/:id': {
      id: 'getExecution',
      access: 'read',
      summary: 'Get an execution',
      description: 'With `wait_ms`, waits until the execution has ended or is paused, at most that long.',
      params: ExecutionById,
      query: ExecutionQuery,
      reply: Execution,
    },
    'POST /executions/:id/cancel': {
      id: 'cancelExecution',
      access: 'write',
      reducesLoad: true,
      summary: 'Cancel an execution',
      description:
        'Stops its active nodes and cancels its child executions. Finalizers of its workflow that always run do so first; until they have ended it stays `running`, and a second cancel gives them up.',
      params: ExecutionById,
      body: CancelExecution,
      bodyMayBeMissing: true,
      reply: CancelledExecution,
    },
  },
} satisfies Resource;

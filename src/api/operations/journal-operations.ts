import { type Static, Type } from 'typebox';
import { MAX_COMMITTED_OPERATIONS } from '../../../machines/journal.ts';
import {
  anyJson,
  anyObject,
  count,
  described,
  flag,
  integer,
  listOf,
  nameOrEmpty,
  number,
  optional,
  text,
  waitMs,
} from '../schemas/fields.ts';

const ms = (description: string) => optional(number('Milliseconds.'), description);
const someText = (description: string) => optional(Type.String(), description);
const someObject = (description: string) => optional(anyObject('An object.'), description);

/** One form for all types: which fields one needs is checked by the runtime. */
export const JournalOperation = Type.Object(
  {
    type: text(
      '`begin`: an operation begins. `complete`, `fail`: an attempt at a step has ended, or a `value` has been made. `update`: what has come of an update. `cancel`: an operation is not wanted any more. `transition`: an XState machine has taken a macrostep.',
    ),
    operation: optional(count('A number.'), 'Number of the operation: 1, 2, 3 … Of every type but `update`.'),
    kind: someText(
      'Of `begin`: `step`, `value`, `sleep`, `event`, `approval`, `call`, `expose`, `handler` or `continue`. Only steps and values get their result from the worker.',
    ),
    name: someText('Of `begin`: name of the operation, at most 200 characters.'),
    attempt: optional(count('A number.'), 'Of `complete` and `fail`: the attempt that has ended, counted from 0.'),
    output: Type.Optional(anyJson('Of `complete`: the result. Of `update`: the answer.')),
    duration_ms: ms('Of `complete`: how long the attempt took.'),
    error: someText('Of `fail`: what went wrong. Of `update`: the error with which it is answered.'),
    error_class: someText('Of `fail` and `update`: class of the error.'),
    details: someObject('Of `fail`: `error_name` and `stack`.'),
    delay_ms: ms('Of `fail`: milliseconds until the next attempt; null = there is none.'),
    key: someText('Of an `event`: its correlation key.'),
    accepts: optional(
      listOf(Type.String(), 'Descriptors.'),
      'Of an `event`, in place of `key`: descriptors of the events that it takes, such as `order.*`.',
    ),
    limit_ms: ms('Of a `sleep`: how long; of an `event` or an `approval`: its timeout, null = none.'),
    until_ms: ms('Of a `sleep`, in place of `limit_ms`: when it ends, in milliseconds since 1970.'),
    message: someText('Of an `approval`: what the person is asked.'),
    exposed: someObject('Of `expose`: JSON merge patch (RFC 7396) to the state.'),
    schema: someObject('Of a `handler`: JSON Schema of the updates that it takes, 400 if it is none; null = any.'),
    workflow: someText('Of a `call`: the workflow, which must be among the `calls` of the function in the document.'),
    version: someText('Of a `call`: its version; null = the one that is registered last.'),
    input: Type.Optional(anyJson('Of a `call` or `continue`: what the execution is started with.')),
    update: optional(count('A number.'), 'Of `update`: its number.'),
    event: someText('Of `transition`: type of the event that the machine was given.'),
    value: Type.Optional(
      anyJson(
        'Of `transition`: the state value that it has led to. Without `actor`, it is one of the `machine` in the document.',
      ),
    ),
    actions: optional(listOf(Type.String(), 'Types.'), 'Of `transition`: types of the actions that were executed.'),
    actor: someText('Of `transition`: ids of the actors that lead to the machine; null = the root.'),
    emitted: optional(listOf(anyJson('An event.'), 'Events.'), 'Of `transition`: events that it has emitted.'),
    snapshot: someObject(
      'Of `transition`: how the persisted snapshot has changed: `{set: {pointer: value}, removed: [pointer]}`. JSON pointers (RFC 6901) lead through objects, not into lists, and have at most 256 keys each, 10,000 in one request.',
    ),
  },
  { description: 'What a durable function has begun, or what has come of it.' },
);

export const CommitOperations = Type.Object(
  {
    lease_fence: integer('`lease_fence` of the claim.', { minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    worker_id: optional(
      nameOrEmpty('Name of a worker.'),
      'Worker that reports, recorded beside the caller. Default: the one that claimed the item.',
    ),
    operations: optional(
      Type.Array(JournalOperation, { maxItems: MAX_COMMITTED_OPERATIONS }),
      'Taken or refused as a whole. Those that the journal has already are taken as said again. Default: none.',
    ),
    known: Type.Object(
      {
        operations: count('Number of the last operation that the worker knows; 0 = none.'),
        results: count('Position of the last result that it knows; 0 = none.'),
        sequence: count('`sequence` of the last journal that it was told.'),
      },
      { description: 'What the worker knows of the journal. The reply has what it does not know.' },
    ),
    parked_after: optional(
      count('A position.'),
      'The function only waits: position of the last result that it was given. Then the item is settled, unless there is something that the function has yet to be given.',
    ),
    wait_ms: optional(
      waitMs('Milliseconds.'),
      'Without operations: wait for something that the worker does not know, at most this many milliseconds. Default 0; at most 60000.',
    ),
  },
  { description: 'What a durable function has begun and done.' },
);
export type CommitOperations = Static<typeof CommitOperations>;

export const WorkJournal = Type.Object(
  {
    sequence: integer('Sequence of the last event of the execution.'),
    paused: flag('The execution is paused: the function is to go no further.'),
    parked: flag('The function only waits: the item is settled, and another one comes when there is a result.'),
    partial: flag('The worker lacks more: ask again, without operations, with what it knows then.'),
    operations: listOf(
      Type.Object({
        number: integer('1, 2, 3 …: the order in which the function has begun them.'),
        name: text('Its name.'),
        kind: text('Its kind: one of those of `begin`, or `transition`.'),
        attempt: integer('Attempt at a step, counted from 0.'),
        status: text(
          '`running`, `backoff` (a step waits for its next attempt), `waiting`, `completed`, `failed` or `cancelled`.',
        ),
      }),
      'Operations that the worker does not know, and known ones that have changed.',
    ),
    results: listOf(
      Type.Object({
        position: integer('Its place in the order in which the function is given results.'),
        operation: optional(Type.Integer(), 'Number of the operation; absent = an update.'),
        output: optional(anyJson('A value.'), 'The result of the operation.'),
        failure: someObject('In place of `output`: the operation has failed for good. `error`, `error_class` and more.'),
        update: optional(Type.Integer(), 'Number of an update that a caller has sent.'),
        name: someText('Name of the update.'),
        input: optional(anyJson('A value.'), 'Input of the update.'),
        handled: optional(
          Type.Boolean(),
          'What has come of the update is in the log: its handler runs only for what it does to the function.',
        ),
      }),
      'Results that the worker does not know, in the order in which the function is given them.',
    ),
  },
  { description: 'The journal of a durable function: what the worker does not know of it.' },
);
export type WorkJournal = Static<typeof WorkJournal>;

export const CommittedOperations = Type.Object(
  {
    acknowledged: Type.Literal(true, { description: 'Always true.' }),
    work_item_id: text('Id of the work item.'),
    journal: described(WorkJournal, 'What the worker does not know of the journal.'),
  },
  { description: 'Operations were committed.' },
);
export type CommittedOperations = Static<typeof CommittedOperations>;

export const ClaimedJournal = Type.Optional(
  described(WorkJournal, 'Of a durable function: what it has done before; absent for other work.'),
);

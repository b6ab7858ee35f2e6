import { type Static, Type } from 'typebox';
import {
  anyJson,
  anyObject,
  byId,
  count,
  described,
  flag,
  integer,
  listOf,
  name,
  nameOrEmpty,
  nullable,
  number,
  optional,
  text,
  timestamp,
  waitMs,
} from '../schemas/fields.ts';
import { ClaimedJournal, CommitOperations, CommittedOperations } from './journal-operations.ts';
import type { Resource } from './operation.ts';

/** As tools in process may say. */
const MAX_PROGRESS_TEXT = 200;

const leaseFence = optional(
  count('A lease fence.'),
  '`lease_fence` of the claim. 0 or absent: settle the item whichever worker holds its lease.',
);
const workerId = optional(
  nameOrEmpty('Name of a worker.'),
  'Worker that reports, recorded beside the caller. Default: the one that claimed the item, if its fence is given.',
);

const ById = byId('Id of the work item, a UUID.');

export const EnqueueWork = Type.Object(
  {
    execution_id: name('Execution to which the work belongs.'),
    node_id: name('Node for which the work is done.'),
    queue_type: optional(name('A queue.'), 'Queue from which workers claim it. Default `general`.'),
    payload: Type.Optional(anyJson('What the worker needs. Default null.')),
  },
  { description: 'Work that is added to a queue beside the workflow.' },
);
export type EnqueueWork = Static<typeof EnqueueWork>;

export const EnqueuedWork = Type.Object(
  { work_item_id: text('Id of the new work item.') },
  { description: 'Work was enqueued.' },
);
export type EnqueuedWork = Static<typeof EnqueuedWork>;

export const ClaimWork = Type.Object(
  {
    worker_id: name('Name of the worker.'),
    queue_types: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 64,
      description: 'Queues to claim from.',
    }),
    tools: optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 1000 }),
      'Tools that the worker serves: only their items are claimed. Default: every item of the queues.',
    ),
    max_items: optional(integer('A number of items.', { minimum: 1, maximum: 1000 }), 'Claim at most so many items. Default 1.'),
    wait_ms: optional(
      waitMs('Milliseconds.'),
      'If the queues are empty, wait for the first item, at most this many milliseconds. Default 0; at most 60000.',
    ),
  },
  { description: 'Which work a worker takes.' },
);
export type ClaimWork = Static<typeof ClaimWork>;

export const WorkItem = Type.Object(
  {
    id: text('Id of the work item.'),
    tenant_id: text('Tenant that owns the execution.'),
    execution_id: text('Execution to which the work belongs.'),
    workflow_id: text('Workflow of the execution.'),
    workflow_version: text('Version of the workflow.'),
    node_id: text('Node for which the work is done.'),
    queue_type: text('Queue from which it was claimed.'),
    tool: text(
      'Tool that is asked for: the `tool_ref` of the node, or its function; of an item that a client enqueued, its node.',
    ),
    payload: anyObject('Input, state and settings of the node.'),
    activation: integer('Visit to the node, counted from 1; 0 for an item that a client enqueued.'),
    attempt: integer('Attempt, counted from 0.'),
    item: nullable(Type.Integer(), 'Item of the list that the node works on, counted from 0; null if it works on none.'),
    idempotency_key: text(
      'The same for every attempt of one visit to the node: `<execution_id>:<node_id>:<activation>`, with `:<item>` for an item of a list. For a work item that a client enqueued: its id.',
    ),
    started_by: Type.Object(
      {
        actor_id: text('Name of a token, or `cron:<name>` for a cron job.'),
        actor_type: text('`human`, `agent` or `system`.'),
      },
      { description: 'Who started the execution; for a child, its root; for a fork, who forked it.' },
    ),
    labels: Type.Record(Type.String(), Type.String(), { description: 'Labels of the execution.' }),
    max_attempts: integer('Number of attempts the retry policy allows.'),
    lease_fence: integer('Proves the claim: send it with complete, fail and heartbeat.'),
    lease_expires_at: timestamp('When the lease expires unless it is renewed.'),
    deadline_at: nullable(timestamp('A time.'), 'When the attempt times out, whatever its lease; null = never.'),
    traceparent: Type.Optional(
      text('Place of the attempt in a trace, for the header `traceparent`; absent if the execution is not part of one.'),
    ),
    journal: ClaimedJournal,
  },
  { description: 'A claimed work item.' },
);
export type WorkItem = Static<typeof WorkItem>;

export const ClaimedWork = Type.Object(
  {
    claimed: flag('Whether anything was claimed.'),
    work_item: Type.Optional(described(WorkItem, 'The first of `work_items`; absent if nothing was claimed.')),
    work_items: Type.Optional(listOf(WorkItem, 'Oldest first; absent if nothing was claimed.')),
  },
  { description: 'The result of a claim.' },
);
export type ClaimedWork = Static<typeof ClaimedWork>;

const tokens = (description: string) => optional(count('A number of tokens.'), description);
const shortText = (description: string) => optional(Type.String({ maxLength: 256 }), description);

const usage = {
  gen_ai_system: shortText('Provider of the model that was used.'),
  gen_ai_model: shortText('Model that was used.'),
  input_tokens: tokens('Input tokens that were used; counted against budgets.'),
  output_tokens: tokens('Output tokens that were used; counted against budgets.'),
  finish_reason: shortText('Why the model stopped.'),
  cost_usd: optional(number('USD.', { minimum: 0, maximum: 1e9 }), 'Cost in USD; counted against budgets.'),
};

export const CompleteWork = Type.Object(
  {
    output: anyJson('Output of the node.'),
    state_patch: Type.Optional(anyJson('JSON merge patch (RFC 7396) to the state. Default: derived from the output.')),
    execution_id: optional(nameOrEmpty('An execution.'), 'Execution of the item. If given, it must match.'),
    node_id: optional(nameOrEmpty('A node.'), 'Node of the item. If given, it must match.'),
    duration_ms: optional(
      number('Milliseconds.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      'Milliseconds the work took. Default 0.',
    ),
    lease_fence: leaseFence,
    ...usage,
    worker_id: workerId,
  },
  { description: 'The result of work.' },
);
export type CompleteWork = Static<typeof CompleteWork>;

const workItemId = text('Id of the work item.');

export const CompletedWork = Type.Object(
  { completed: Type.Literal(true, { description: 'Always true.' }), work_item_id: workItemId },
  { description: 'A work item was completed.' },
);
export type CompletedWork = Static<typeof CompletedWork>;

export const FailWork = Type.Object(
  {
    error: text('What went wrong.'),
    retryable: optional(Type.Boolean(), 'Whether another attempt may be made. Default true.'),
    error_class: shortText('Class of the error, matched against `retryable_on` of the retry policy.'),
    http_status: optional(
      integer('An HTTP status.', { minimum: 100, maximum: 599 }),
      'Status of the HTTP response with which the work failed, matched against statuses in `retryable_on`.',
    ),
    error_name: optional(Type.String(), 'Name of the error, e.g. `TypeError`. Cut after 100 characters.'),
    stack: optional(Type.String(), 'Frames of its stack, one per line. Cut after 40 lines or 8,000 characters.'),
    cause: optional(
      anyJson('An error.'),
      'The error that caused it: its text, or `{name?, message, stack?, cause?, errors?}`, at most five deep.',
    ),
    errors: optional(Type.Array(anyJson('An error.')), 'Errors that it stands for, in the same form; the first 10 are kept.'),
    interrupted: optional(
      Type.Boolean(),
      'The worker gives the item back: a durable function, or an item of a `map`, begins again as the same attempt, on another worker. Default false.',
    ),
    lease_fence: leaseFence,
    ...usage,
    worker_id: workerId,
  },
  { description: 'How work failed, and what it used all the same.' },
);
export type FailWork = Static<typeof FailWork>;

export const FailedWork = Type.Object(
  { failed: Type.Literal(true, { description: 'Always true.' }), work_item_id: workItemId },
  { description: 'The failure of a work item was recorded.' },
);
export type FailedWork = Static<typeof FailedWork>;

export const Heartbeat = Type.Object(
  {
    worker_id: name('Name of the worker that holds the lease.'),
    lease_fence: leaseFence,
    progress: optional(
      Type.Object({
        fraction: Type.Optional(nullable(number('A number.', { minimum: 0, maximum: 1 }), 'How much is done, from 0 to 1.')),
        text: Type.Optional(
          nullable(Type.String({ maxLength: MAX_PROGRESS_TEXT }), 'What is being done, in at most 200 characters.'),
        ),
      }),
      'How far the attempt is. Shown while it runs, in event streams as `event: progress`, and not stored.',
    ),
  },
  { description: 'Which lease to renew.' },
);
export type Heartbeat = Static<typeof Heartbeat>;

export const RenewedLease = Type.Object(
  {
    renewed: Type.Literal(true, { description: 'Always true.' }),
    work_item_id: workItemId,
    lease_expires_at: timestamp('When the lease expires unless it is renewed again.'),
  },
  { description: 'A lease was renewed.' },
);
export type RenewedLease = Static<typeof RenewedLease>;

export const LostLease = Type.Object(
  {
    completed: Type.Optional(Type.Literal(false, { description: 'In reply to complete.' })),
    failed: Type.Optional(Type.Literal(false, { description: 'In reply to fail.' })),
    renewed: Type.Optional(Type.Literal(false, { description: 'In reply to heartbeat.' })),
    acknowledged: Type.Optional(Type.Literal(false, { description: 'In reply to operations.' })),
    reason: text('Why, without the class of the error.'),
    error: text('For people: the class of the error and what is wrong.'),
    code: text('For programs: `stale_fence` or `conflict`.'),
  },
  { description: 'The item is settled, or its lease is held by another worker. Exactly one of the four flags is present.' },
);
export type LostLease = Static<typeof LostLease>;

export const WORK_ITEMS = {
  tag: 'Work items',
  operations: {
    'POST /work-items': {
      id: 'enqueueWork',
      access: 'write',
      isShed: true,
      summary: 'Enqueue work',
      body: EnqueueWork,
      status: 201,
      reply: EnqueuedWork,
    },
    'POST /work-items/claim': {
      id: 'claimWork',
      access: 'work',
      summary: 'Claim work items',
      description:
        'Takes the oldest items of the queues and leases them for 30 seconds. With `wait_ms`, waits for the first item.',
      body: ClaimWork,
      reply: ClaimedWork,
    },
    'POST /work-items/:id/operations': {
      id: 'commitOperations',
      access: 'work',
      summary: 'Commit operations of a durable function',
      description:
        'What the function has begun and done is in the log with the reply. 409 `conflict` if an operation does not fit the journal, the state or what the document says of the function, and `stale_fence` if the lease is lost.',
      params: ById,
      body: CommitOperations,
      reply: CommittedOperations,
      otherReplies: { 409: LostLease },
    },
    'POST /work-items/:id/complete': {
      id: 'completeWork',
      access: 'work',
      summary: 'Complete a work item',
      params: ById,
      body: CompleteWork,
      reply: CompletedWork,
      otherReplies: { 409: LostLease },
    },
    'POST /work-items/:id/fail': {
      id: 'failWork',
      access: 'work',
      summary: 'Fail a work item',
      description: 'The attempt is retried by the policy of the node unless `retryable` is false.',
      params: ById,
      body: FailWork,
      reply: FailedWork,
      otherReplies: { 409: LostLease },
    },
    'POST /work-items/:id/heartbeat': {
      id: 'renewWork',
      access: 'work',
      summary: 'Renew the lease of a work item',
      params: ById,
      body: Heartbeat,
      reply: RenewedLease,
      otherReplies: { 409: LostLease },
    },
  },
} satisfies Resource;

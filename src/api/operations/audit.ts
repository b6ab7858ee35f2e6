import { type Static, Type } from 'typebox';
import {
  anyObject,
  appliedLimit,
  appliedOffset,
  described,
  flag,
  integer,
  limit,
  listOf,
  nullable,
  offset,
  sequence,
  text,
  timestamp,
} from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const AUDIT_PAGE = { defaultLimit: 50, maxLimit: 200 };

const filter = (description: string) => Type.Optional(text(description, { minLength: 1, maxLength: 256 }));
const time = (description: string) => Type.Optional(text(description, { maxLength: 64 }));

export const AuditQuery = Type.Object({
  execution_id: filter('Only entries of this execution.'),
  actor_id: filter(
    'Only what this actor did, or what was done on its behalf: the name of a token, or `agent:` and the id of an agent.',
  ),
  event_type: filter('Only events of this type, in snake_case or PascalCase.'),
  from: time('Only what happened then or later: a date, or a date and a time with its zone.'),
  to: time('Only what happened before then: a date, or a date and a time with its zone.'),
  limit: limit(AUDIT_PAGE),
  offset,
  cursor: Type.Optional(text('`next_cursor` of the previous page. Cannot be combined with `offset`.', { maxLength: 512 })),
});
/** Which entries of the audit log are listed. */
export type AuditQuery = Static<typeof AuditQuery>;

export const AuditItem = Type.Object(
  {
    id: text('Id of the entry, the same whenever it is read.'),
    event_id: text('Id of the event that the entry records.'),
    execution_id: nullable(Type.String(), 'Execution in which it happened; null for changes of the control plane.'),
    sequence: integer("Position in the log of the execution, or of the tenant's control plane."),
    event_type: text('Type of the event, in snake_case.'),
    actor_id: text('Who acted: the name of a token, or the id of a runtime.'),
    actor_type: Type.Enum(['human', 'agent', 'system'] as const, { description: 'What kind of actor it is.' }),
    actor_token_id: Type.Optional(text('Id of the token that acted; names of tokens may repeat. Absent if none did.')),
    actor_role: Type.Optional(text('Role of the token that acted; absent if none did.')),
    on_behalf_of: Type.Optional(
      text('For whom the actor acted: the `user_id` or `worker_id` of the request, which is not verified.'),
    ),
    created_at: timestamp('When it happened.'),
    raw_event: anyObject('The event: its `type` and its fields.'),
    payload: Type.Optional(anyObject('Only under `/api/v1`: the fields of `raw_event`, as Java clients name them.')),
    node_id: Type.Optional(nullable(Type.String(), 'Only under `/api/v1`: node of the event; null if it concerns none.')),
    timestamp: Type.Optional(timestamp('Only under `/api/v1`: the same as `created_at`.')),
    tenant_id: text('Tenant to which the entry belongs.'),
    redacted: flag('Whether personal data of the event was replaced, as the data policy says.'),
    policy_decision: Type.Optional(text('What was decided, for events of policies and budgets.')),
    tool_call_hash: Type.Optional(text('SHA-256 of `<tool>:<call as JSON>`, for calls of tools.')),
    http_request_id: Type.Optional(text('Id of the request that caused it; absent if none did.')),
    http_method: Type.Optional(text('Method of that request.')),
    http_path: Type.Optional(text('Path of that request, without its query.')),
    ip_address: Type.Optional(text('Address from which that request came.')),
  },
  { description: 'An entry of the audit log.' },
);
export type AuditItem = Static<typeof AuditItem>;

export const AuditList = Type.Object(
  {
    items: listOf(AuditItem, 'Newest first.'),
    total: integer('Number of entries that match, whatever the page.'),
    limit: appliedLimit,
    offset: appliedOffset,
    next_cursor: nullable(Type.String(), 'Cursor of the next page; null on the last page.'),
  },
  { description: 'A page of the audit log.' },
);
export type AuditList = Static<typeof AuditList>;

export const AuditFault = Type.Object(
  {
    chain: Type.Optional(text('Writer whose chain is broken; absent if the database has one chain.')),
    block: integer('Number of the first bad block in its chain.'),
    reason: Type.Enum(['missing_block', 'block_hash', 'signature', 'stream_digest', 'unsealed_rows', 'snapshot'] as const, {
      description: 'What is wrong with the block.',
    }),
    tenant_id: nullable(
      Type.String(),
      'Tenant whose rows were changed, for `stream_digest`; null if unknown, or if it is another tenant than the caller’s.',
    ),
    execution_id: nullable(Type.String(), 'Execution whose rows were changed; null if unknown or not of the caller’s tenant.'),
  },
  { description: 'The first place where the audit chain does not verify.' },
);
export type AuditFault = Static<typeof AuditFault>;

export const UnsignedRange = Type.Object(
  {
    chain: Type.Optional(text('Writer whose chain it is; absent if the database has one chain.')),
    from: integer('Number of the first block.'),
    to: integer('Number of the last block.'),
  },
  { description: 'Consecutive blocks without a signature.' },
);

export const UnsignedBlocks = Type.Object(
  {
    blocks: integer('Number of blocks without a signature.'),
    ranges: listOf(UnsignedRange, 'The first twenty ranges of consecutive blocks.'),
  },
  {
    description:
      'Blocks without a signature although the server has a key: written without the key, or stripped of their signatures.',
  },
);
export type UnsignedBlocks = Static<typeof UnsignedBlocks>;

export const AuditVerification = Type.Object(
  {
    ok: flag('Whether everything is as it was written, and signed if the server has a key.'),
    blocks: integer('Number of sound blocks from the beginning.'),
    head: text('Hash of the last sound block, or of the last sound blocks of all chains.'),
    fault: nullable(AuditFault, 'The first fault; null if there is none.'),
    unsigned: Type.Optional(described(UnsignedBlocks, 'Blocks without a signature; absent if there are none.')),
  },
  { description: 'The result of verifying the audit chain.' },
);
export type AuditVerification = Static<typeof AuditVerification>;

export const AuditExportQuery = Type.Object({
  from_block: Type.Optional(sequence('First block of the chain to export. Default 1.')),
});
/** Which part of the audit log is exported. */
export type AuditExportQuery = Static<typeof AuditExportQuery>;

export const AUDIT = {
  tag: 'Audit',
  operations: {
    'GET /audit': {
      id: 'listAudit',
      access: 'read',
      summary: 'List the audit log of the tenant, newest first',
      description: 'Every event of every execution, and every change of the control plane.',
      query: AuditQuery,
      reply: AuditList,
    },
    'GET /audit/verify': {
      id: 'verifyAudit',
      access: 'operator',
      summary: 'Verify the audit chain',
      description:
        'Reads the whole log of all tenants, which may take minutes. Continues past unsigned blocks and lists them in `unsigned`.',
      reply: AuditVerification,
    },
  },
} satisfies Resource;

import type { Json } from '../../../machines/json.ts';

/** What parameters mean, by name, unless the schema says it itself. */
export const PARAMETERS: Readonly<Record<string, string>> = {
  actor_id:
    'Only what this actor did (the name of a token, or `agent:` and the id of an agent), and what others did on its behalf.',
  after: 'Only events after this one: its sequence, or in the stream of all executions the `id` it came with.',
  at: 'The sequence of an event: as it was after the last step that had ended by then.',
  created_after: 'Only those started then or later, in RFC 3339.',
  created_before: 'Only those started before, in RFC 3339.',
  cursor: '`next_cursor` of the page before, in place of an offset.',
  delivery_id: 'The id of the delivery.',
  dry_run: 'The same as in the body: start nothing, only say what would be.',
  event_type: 'Only events of this type, in snake_case or PascalCase.',
  execution_id: 'Only what belongs to this execution.',
  follow: 'Go on with what happens until the execution ends, as server-sent events.',
  format: 'How `kind` is written: `seed`, a name in PascalCase; `tagged`, an object that its `type` tells apart.',
  from: 'Only what happened then or later: a date, or a date and a time with its zone.',
  from_block: 'The first block of the chain to export.',
  hash: 'SHA-256 of the bytes, in hex.',
  id: 'The id. Those of executions are `exec_` and 32 hex digits, or the same as a UUID.',
  include: '`state`: with the state of each.',
  kind: 'Only these kinds of event, separated by commas, in PascalCase or snake_case.',
  label: 'Only those with this label: `key:value`, or a key with any value. May be given more than once.',
  limit: 'At most so many. More than the route allows is cut down, and the reply says to what.',
  media_type: 'What the bytes are; absent: what `Content-Type` says.',
  name: 'The name.',
  node_id: 'Only events of this node.',
  offset: 'How many to pass over.',
  parent_execution_id: 'Only the children of this execution.',
  protocol: 'Only agents that speak it: `mcp`, `a2a`, `anp`.',
  skill: 'Only agents with this skill.',
  skills: 'Only agents with all of these skills, separated by commas.',
  status: 'Only these.',
  to: 'Only what happened before: a date, or a date and a time with its zone.',
  trust_domain: 'Only agents of this trust domain.',
  type: 'The same as `kind`.',
  version: 'The version; absent: the one registered last.',
  wait_ms: 'Wait at most so many milliseconds for something to happen.',
  workflow_id: 'The workflow.',
  workflow_version: 'Only executions of this version.',
  file: 'Its name.',
};

const IDEMPOTENCY_KEY: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same request with the same key is carried out once, and answered as the first time.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** Headers that a route looks at, beside its schema. */
export const HEADERS: Readonly<Record<string, readonly Json[]>> = {
  'POST /executions': [IDEMPOTENCY_KEY],
  'POST /api/v1/workflows/:workflow_id/execute': [IDEMPOTENCY_KEY],
  'POST /executions/:id/external-event': [IDEMPOTENCY_KEY],
  'POST /executions/:id/fork': [IDEMPOTENCY_KEY],
  'POST /executions/:id/events': [IDEMPOTENCY_KEY],
  'GET /executions/:id/events': [
    {
      name: 'X-JamJet-Events',
      in: 'header',
      description: 'As `format`, which wins.',
      schema: { type: 'string', enum: ['seed', 'tagged'] },
    },
  ],
};

import { type Static, Type } from 'typebox';
import { anyJson, integer, text, waitMs } from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

const UpdateParams = Type.Object({
  id: text('Id of the execution.'),
  name: text('Name of the update, as the function has given it to `ctx.onUpdate`.', { minLength: 1, maxLength: 200 }),
});

const UpdateQuery = Type.Object({
  wait_ms: Type.Optional(
    waitMs(
      'Wait until the function has named the update and handled it, at most this many milliseconds in all. Default 5000, at most 60000.',
    ),
  ),
});

export const SendUpdate = Type.Object(
  { input: Type.Optional(anyJson('What the handler is given. Default null.')) },
  { description: 'An update of a durable function.' },
);
export type SendUpdate = Static<typeof SendUpdate>;

export const HandledUpdate = Type.Object(
  {
    execution_id: text('Execution that took the update: the last one of those that continue the one of the request.'),
    name: text('Name of the update.'),
    sequence: integer('Sequence of its `update_received` event.'),
    status: Type.Enum(['completed', 'accepted'] as const, {
      description: '`completed`: the function has handled it; `accepted`: it will.',
    }),
    output: Type.Optional(anyJson('What the handler has returned; absent until the function has handled the update.')),
  },
  { description: 'An update that was accepted, and its answer.' },
);
export type HandledUpdate = Static<typeof HandledUpdate>;

export const UPDATES = {
  tag: 'Executions',
  operations: {
    'POST /executions/:id/updates/:name': {
      id: 'sendUpdate',
      access: 'write',
      isShed: true,
      summary: 'Send an update to a durable function',
      description:
        'The function handles updates in the order in which they came, each once, also after a crash. The reply has what its handler has returned, once that is committed; 202 if it has not handled the update in time: the same request with the same `Idempotency-Key` has the answer. An update that no function has named yet waits while one is at work or about to begin, e.g. right after the start; with `wait_ms` 0 it does not. 404 for a name that no function of the execution takes by then, 400 `invalid_input` for an input that does not fit its schema, 409 if the execution has ended, or the function ends without handling the update, 422 `update_failed` if the handler throws an error, which does not end the function. Of an execution that another one continues, the last one gets it.',
      params: UpdateParams,
      query: UpdateQuery,
      body: SendUpdate,
      bodyMayBeMissing: true,
      reply: HandledUpdate,
      otherReplies: { 202: HandledUpdate },
    },
  },
} satisfies Resource;

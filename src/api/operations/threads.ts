import { type Static, Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import {
  anyJson,
  count,
  integer,
  limit,
  listOf,
  nullable,
  number,
  optional,
  type PageSizes,
  sequence,
  text,
  timestamp,
} from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const THREADS_PAGE: PageSizes = { defaultLimit: 100, maxLimit: 1_000 };

const id = text('A name of 1 to 256 characters, without `/`.');
const ById = Type.Object({ id });

const MESSAGE = {
  role: Type.Enum(['user', 'assistant', 'tool'], { description: 'Who says it.' }),
  content: anyJson(
    'A text, or a list of parts, `{type: text, text}` or `{type: image_url, image_url: {url}}`. Null in an answer that only calls tools.',
  ),
  tool_calls: optional(
    Type.Array(Type.Unsafe<JsonObject>({ type: 'object' })),
    'The tools that an answer calls, as OpenAI writes them.',
  ),
  tool_call_id: optional(Type.String({ minLength: 1 }), 'The call that a message with role `tool` answers.'),
  name: optional(Type.String({ minLength: 1 }), 'The tool that was called.'),
};

export const AppendToThread = Type.Object(
  {
    messages: Type.Array(Type.Object(MESSAGE, { description: 'A message, at most 256 KiB.' }), {
      minItems: 1,
      maxItems: 100,
      description: 'They are stored in order, all or none.',
    }),
  },
  { description: 'Messages for a thread.' },
);
export type AppendToThread = Static<typeof AppendToThread>;

export const AppendedToThread = Type.Object(
  {
    thread_id: text('The thread.'),
    first_sequence: sequence('Sequence of the first of the messages.'),
    last_sequence: sequence('Sequence of the last of the messages.'),
    messages: count('Number of messages of the thread.'),
  },
  { description: 'Messages were stored.' },
);
export type AppendedToThread = Static<typeof AppendedToThread>;

export const Thread = Type.Object(
  {
    thread_id: text('Id of the thread.'),
    messages: count('Number of messages.'),
    bytes: number('Size of the messages and the summary.'),
    last_sequence: count('Sequence of the last message.'),
    summary: nullable(Type.String(), 'What a model has said of the first messages; null = there is no summary.'),
    summarised_sequence: count('Sequence of the last message that the summary stands for; 0 = none.'),
    created_at: timestamp('When the first message was stored.'),
    updated_at: timestamp('When the last message was stored.'),
  },
  { description: 'A conversation.' },
);
export type Thread = Static<typeof Thread>;

export const ThreadsQuery = Type.Object({
  limit: limit(THREADS_PAGE),
  cursor: Type.Optional(text('`next_cursor` of the previous page.', { pattern: '^\\d{1,15}-\\d{1,15}$' })),
});

export const ThreadList = Type.Object(
  {
    threads: listOf(Thread, 'The last changed first.'),
    next_cursor: nullable(Type.String(), 'Cursor of the next page; null if this is the last one.'),
  },
  { description: 'Threads of the tenant.' },
);
export type ThreadList = Static<typeof ThreadList>;

export const ThreadMessagesQuery = Type.Object({
  limit: limit(THREADS_PAGE),
  order: Type.Optional(Type.Enum(['asc', 'desc'], { description: '`asc`: the oldest first, which is the default.' })),
  cursor: Type.Optional(integer('`next_cursor` of the previous page.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
});

const StoredMessage = Type.Object(
  {
    sequence: sequence('1, 2, 3 … within the thread.'),
    ...MESSAGE,
    execution_id: nullable(Type.String(), 'The execution whose turn has appended it; null = a request or a tool has.'),
    node_id: nullable(Type.String(), 'Node of that execution.'),
    activation: nullable(Type.Integer(), 'Number of the visit to the node.'),
    created_at: timestamp('When it was stored.'),
  },
  { description: 'A message of a thread.' },
);

export const ThreadMessages = Type.Object(
  {
    thread_id: text('The thread.'),
    messages: listOf(StoredMessage, 'In the order that was asked for. A page ends early when its messages have 4 MiB.'),
    next_cursor: nullable(Type.Integer(), 'Cursor of the next page; null if this is the last one.'),
  },
  { description: 'Messages of a thread.' },
);
export type ThreadMessages = Static<typeof ThreadMessages>;

export const DeletedThread = Type.Object(
  { thread_id: text('The thread.'), deleted: count('Number of messages that it had.') },
  { description: 'A thread was deleted.' },
);
export type DeletedThread = Static<typeof DeletedThread>;

export const THREADS = {
  tag: 'Threads',
  operations: {
    'GET /threads': {
      id: 'listThreads',
      access: 'read',
      summary: 'List the threads, the last changed first',
      query: ThreadsQuery,
      reply: ThreadList,
    },
    'GET /threads/:id': {
      id: 'getThread',
      access: 'read',
      summary: 'Get a thread without its messages',
      params: ById,
      reply: Thread,
    },
    'GET /threads/:id/messages': {
      id: 'listThreadMessages',
      access: 'read',
      summary: 'List the messages of a thread',
      params: ById,
      query: ThreadMessagesQuery,
      reply: ThreadMessages,
    },
    'POST /threads/:id/messages': {
      id: 'appendToThread',
      access: 'write',
      summary: 'Append messages to a thread',
      description:
        'The thread is created if needed. Agents and models whose node names it read the messages with their next turn.',
      params: ById,
      body: AppendToThread,
      status: 201,
      reply: AppendedToThread,
    },
    'DELETE /threads/:id': {
      id: 'deleteThread',
      access: 'write',
      summary: 'Delete a thread with its messages and its summary',
      params: ById,
      reply: DeletedThread,
    },
  },
} satisfies Resource;

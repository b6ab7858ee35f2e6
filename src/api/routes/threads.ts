import type { ThreadMessage } from '../../runtime/types/threads.ts';
import { type Decoded, present } from '../operations/codec.ts';
import { type AppendToThread, THREADS, THREADS_PAGE } from '../operations/threads.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { implement } from './implement.ts';

export const threadRoutes = implement(THREADS, {
  'GET /threads': async ({ query: { limit, cursor }, tenantId }, { runtime: { threads } }) => {
    const page = await threads.list(tenantId, { limit: limitOf(limit, THREADS_PAGE), ...defined('cursor', cursor) });
    return { threads: page.threads.map(({ id: threadId, ...thread }) => ({ threadId, ...thread })), nextCursor: page.next };
  },

  'GET /threads/:id': async ({ params, tenantId }, { runtime: { threads } }) => {
    const { id: threadId, ...thread } = await threads.get(tenantId, params.id);
    return { threadId, ...thread };
  },

  'GET /threads/:id/messages': async (
    { params: { id }, query: { limit, order, cursor }, tenantId },
    { runtime: { threads } },
  ) => {
    const request = { limit: limitOf(limit, THREADS_PAGE), ...defined('order', order), ...defined('cursor', cursor) };
    const { messages, next } = await threads.messages(tenantId, id, request);
    return { threadId: id, messages, nextCursor: next };
  },

  'POST /threads/:id/messages': async ({ params: { id }, body, caller }, { runtime: { threads } }) => ({
    threadId: id,
    ...(await threads.append(caller, id, body.messages.map(messageOf))),
  }),

  'DELETE /threads/:id': async ({ params: { id }, caller }, { runtime: { threads } }) => ({
    threadId: id,
    deleted: await threads.remove(caller, id),
  }),
});

/** A content of null says something, unlike that of an optional field. */
function messageOf(message: Decoded<AppendToThread>['messages'][number]): ThreadMessage {
  return Object.assign({ content: null }, present(message)) as ThreadMessage;
}

import type { ActionContext } from '../../port/control.ts';
import type {
  ThreadAppend,
  ThreadAppendResult,
  ThreadMessageOrigin,
  ThreadRow,
  ThreadTurn,
} from '../../port/resources/threads.ts';
import * as sql from '../queries/threads.ts';
import { get, run, runEach, type Script } from '../script.ts';

/** How often a thread that others delete meanwhile is created again. */
const CREATIONS = 10;
const REQUESTED = { executionId: null, nodeId: null, activation: null };

/** Appends what a request gives; nothing, if the thread would exceed a limit. */
export function* appendRequested(
  { id, messages, limits }: ThreadAppend,
  { tenantId, atMs }: ActionContext,
): Script<ThreadAppendResult> {
  const thread = (yield* get(sql.LOCK_THREAD, { tenantId, id })) ?? (yield* createdThread(tenantId, id, atMs));
  const bytes = messages.reduce((sum, message) => sum + Buffer.byteLength(message), thread.bytes);
  const count = thread.messages + messages.length;
  if (count > limits.messages || bytes > limits.bytes) {
    if (thread.messages === 0) yield* run(sql.DELETE_THREAD, { tenantId, number: thread.number });
    return { exceeded: count > limits.messages ? 'messages' : 'bytes' };
  }
  yield* putMessages(thread, { tenantId, atMs }, messages, REQUESTED);
  return { first: thread.last + 1, last: thread.last + messages.length, messages: count };
}

export function* putMessages(
  { number, last }: Pick<ThreadRow, 'number' | 'last'>,
  { tenantId, atMs }: Pick<ActionContext, 'tenantId' | 'atMs'>,
  messages: readonly string[],
  origin: ThreadMessageOrigin | typeof REQUESTED,
): Script<void> {
  const rows = messages.map((message, index) => ({
    ...{ tenantId, number, atMs, sequence: last + 1 + index, message, bytes: Buffer.byteLength(message) },
    ...origin,
  }));
  yield* runEach(sql.PUT_THREAD_MESSAGE, rows);
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  yield* run(sql.ADD_TO_THREAD, { tenantId, number, atMs, messages: rows.length, bytes, last: last + rows.length });
}

export function* createdThread(tenantId: string, id: string, atMs: number): Script<ThreadRow> {
  for (let i = 0; i < CREATIONS; i += 1) {
    yield* run(sql.CREATE_THREAD, { tenantId, id, atMs });
    const thread = yield* get(sql.LOCK_THREAD, { tenantId, id });
    if (thread !== null) return thread;
  }
  throw new Error(`thread ${id} is deleted as often as it is created`);
}

/** Appends what a turn adds; false = the thread is not as the turn has read it, and nothing was written. */
export function* appendTurn(
  { id, read, messages, nodeId, activation }: ThreadTurn,
  { tenantId, executionId, atMs }: { readonly tenantId: string; readonly executionId: string; readonly atMs: number },
): Script<boolean> {
  const found = yield* get(sql.LOCK_THREAD, { tenantId, id });
  const thread = found ?? (read === null ? yield* createdThread(tenantId, id, atMs) : null);
  const isAsRead = read === null ? thread?.last === 0 : thread?.number === read.number && thread.last === read.last;
  if (thread === null || !isAsRead) return false;
  yield* putMessages(thread, { tenantId, atMs }, messages, { executionId, nodeId, activation });
  return true;
}

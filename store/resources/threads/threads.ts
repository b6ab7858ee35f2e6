import type { ActionContext } from '../../port/control.ts';
import type {
  ThreadAppend,
  ThreadAppendResult,
  ThreadMessages,
  ThreadMessagesPage,
  ThreadRow,
  ThreadStore,
  ThreadSummary,
  ThreadsPage,
} from '../../port/resources/threads.ts';
import type { ControlEvent, ResourceDatabase } from '../database.ts';
import * as sql from '../queries/threads.ts';
import { all, get, run } from '../script.ts';
import { appendRequested } from './writes.ts';

/** Of the messages in one page. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** What one transaction deletes, at most. */
const REMOVAL = { messages: 1_000, bytes: 4 * 1024 * 1024 };

export class Threads implements ThreadStore {
  readonly #db: ResourceDatabase;

  constructor(db: ResourceDatabase) {
    this.#db = db;
  }

  list(tenantId: string, { before, limit }: ThreadsPage): Promise<readonly ThreadRow[]> {
    const { updatedAtMs: beforeMs, number } = before ?? { updatedAtMs: Number.MAX_SAFE_INTEGER, number: 0 };
    return this.#db.tenant(tenantId).all(sql.THREADS, { tenantId, beforeMs, before: number, limit });
  }

  get(tenantId: string, id: string): Promise<ThreadRow | null> {
    return this.#db.tenant(tenantId).get(sql.THREAD_BY_ID, { tenantId, id });
  }

  async messages(tenantId: string, id: string, { order, cursor, limit }: ThreadMessagesPage): Promise<ThreadMessages | null> {
    const db = this.#db.tenant(tenantId);
    const thread = await db.get(sql.THREAD_BY_ID, { tenantId, id });
    if (thread === null) return null;
    const first = order === 'asc' ? 0 : thread.last + 1;
    const page = { tenantId, number: thread.number, cursor: cursor ?? first };
    const sizes = await db.all(sql.THREAD_MESSAGE_SIZES[order], { ...page, limit: limit + 1 });
    const count = countWithin(sizes, { messages: limit, bytes: PAGE_BYTES });
    const messages = await db.all(sql.THREAD_MESSAGES[order], { ...page, limit: count });
    return { thread, messages, next: count < sizes.length ? (messages.at(-1)?.sequence ?? null) : null };
  }

  append(append: ThreadAppend, context: ActionContext): Promise<ThreadAppendResult> {
    return this.#db.act(context, function* () {
      const result = yield* appendRequested(append, context);
      const { id, origin } = append;
      const event =
        'exceeded' in result
          ? null
          : threadEvent('appended', { thread_id: id, first: result.first, last: result.last, ...origin });
      return { event, result };
    });
  }

  remove(id: string, context: ActionContext): Promise<{ readonly messages: number; readonly isGone: boolean } | null> {
    const { tenantId, atMs } = context;
    return this.#db.act(context, function* () {
      const thread = yield* get(sql.LOCK_THREAD, { tenantId, id });
      if (thread === null) return { event: null, result: null };
      const { number } = thread;
      const sizes = yield* all(sql.THREAD_MESSAGE_SIZES.asc, { tenantId, number, cursor: 0, limit: REMOVAL.messages });
      const removed = sizes.slice(0, countWithin(sizes, REMOVAL));
      const last = removed.at(-1)?.sequence ?? 0;
      const isGone = last >= thread.last;
      yield* run(sql.DELETE_THREAD_MESSAGES, { tenantId, number, last });
      const bytes = removed.reduce((sum, row) => sum + row.bytes, 0);
      if (isGone) yield* run(sql.DELETE_THREAD, { tenantId, number });
      else yield* run(sql.ADD_TO_THREAD, { tenantId, number, messages: -removed.length, bytes: -bytes, last: thread.last, atMs });
      const event = threadEvent('deleted', { thread_id: id, messages: removed.length });
      return { event, result: { messages: removed.length, isGone } };
    });
  }

  async summarise(tenantId: string, summary: ThreadSummary): Promise<boolean> {
    const bytes = Buffer.byteLength(summary.summary);
    return (await this.#db.runtime.run(sql.SUMMARISE_THREAD, { tenantId, bytes, ...summary })) === 1;
  }
}

/** How many of the messages come before the first that is too many; at least one. */
function countWithin(sizes: readonly sql.ThreadMessageSize[], limits: typeof REMOVAL): number {
  let bytes = 0;
  const end = sizes.findIndex((size, index) => {
    bytes += size.bytes;
    return index >= limits.messages || (index > 0 && bytes > limits.bytes);
  });
  return end < 0 ? sizes.length : end;
}

function threadEvent(change: 'appended' | 'deleted', data: object): ControlEvent {
  return { type: `thread_${change}`, data: JSON.stringify(data) };
}

import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { pathOfIllFormedText } from '../../../machines/unicode.ts';
import type { ActionContext } from '../../../store/port/control.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { ThreadLimits, ThreadMessageRow, ThreadRow } from '../../../store/port/resources/threads.ts';
import { messageOf, storedMessage, type ThreadMessage } from '../../executors/threads/message.ts';
import type { Clock } from '../clock.ts';
import { RuntimeError, truncated } from '../errors.ts';
import type {
  AppendedToThread,
  ThreadMessagesPage,
  ThreadMessagesPageRequest,
  ThreadMessageView,
  ThreadsPage,
  ThreadsPageRequest,
  ThreadView,
} from '../types/threads.ts';

export const THREAD_LIMITS: ThreadLimits = { messages: 100_000, bytes: 256 * 1024 * 1024 };
const LIMIT_TEXTS: Readonly<Record<keyof ThreadLimits, string>> = {
  messages: 'a thread may have 100,000 messages',
  bytes: 'the messages of a thread may have 256 MiB',
};
/** Bytes of a message as JSON. */
export const MAX_MESSAGE = 256 * 1024;
const MAX_MESSAGES_PER_REQUEST = 100;
export const THREADS_PAGE = { defaultLimit: 100, maxLimit: 1_000 } as const;
const ROLES = ['user', 'assistant', 'tool'];
const CURSOR = /^(\d{1,15})-(\d{1,15})$/;

interface ThreadsOptions {
  readonly store: Pick<ExecutionStore, 'threads'>;
  readonly clock: Clock;
  /** Rejects with `limit_exceeded_storage`. */
  readonly mayStore: (tenantId: string) => Promise<void> | null;
}

/** The threads of all tenants. Throws `bad_request` for what cannot be stored, `limit_exceeded_thread` and `limit_exceeded_storage`. */
export class Threads {
  readonly #options: ThreadsOptions;

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  async list(
    tenantId: string,
    { limit = THREADS_PAGE.defaultLimit, cursor = null }: ThreadsPageRequest = {},
  ): Promise<ThreadsPage> {
    const [, updatedAtMs, number] = cursor === null ? [] : (CURSOR.exec(cursor) ?? [null]);
    if (cursor !== null && number === undefined) throw bad('cursor is not one of this list');
    const before = number === undefined ? null : { updatedAtMs: Number(updatedAtMs), number: Number(number) };
    const rows = await this.#options.store.threads.list(tenantId, { before, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return { threads: page.map(viewOf), next: last === undefined ? null : `${last.updatedAtMs}-${last.number}` };
  }

  async get(tenantId: string, id: string): Promise<ThreadView> {
    const row = isThreadId(id) ? await this.#options.store.threads.get(tenantId, id) : null;
    if (row === null) throw missing(id);
    return viewOf(row);
  }

  async messages(
    tenantId: string,
    id: string,
    { limit = THREADS_PAGE.defaultLimit, order = 'asc', cursor = null }: ThreadMessagesPageRequest = {},
  ): Promise<ThreadMessagesPage> {
    const page = isThreadId(id) ? await this.#options.store.threads.messages(tenantId, id, { limit, order, cursor }) : null;
    if (page === null) throw missing(id);
    return { messages: page.messages.map(messageView), next: page.next };
  }

  async append(
    actor: Omit<ActionContext, 'atMs'>,
    id: string,
    messages: readonly ThreadMessage[],
    origin: Readonly<Record<string, string>> = {},
  ): Promise<AppendedToThread> {
    checkThreadId(id);
    if (messages.length === 0 || messages.length > MAX_MESSAGES_PER_REQUEST)
      throw bad(`messages: must be 1 to ${MAX_MESSAGES_PER_REQUEST}, not ${messages.length}`);
    const texts = messages.map((message, index) => storableMessage(message, `messages[${index}]`));
    const { store, clock, mayStore } = this.#options;
    await mayStore(actor.tenantId);
    const append = { id, messages: texts, limits: THREAD_LIMITS, origin };
    const result = await store.threads.append(append, { atMs: clock.nowMs(), ...actor });
    if ('exceeded' in result) throw new RuntimeError('limit_exceeded_thread', LIMIT_TEXTS[result.exceeded]);
    return { firstSequence: result.first, lastSequence: result.last, messages: result.messages };
  }

  async remove(actor: Omit<ActionContext, 'atMs'>, id: string): Promise<number> {
    const { store, clock } = this.#options;
    let total: number | null = null;
    for (;;) {
      const removed = isThreadId(id) ? await store.threads.remove(id, { atMs: clock.nowMs(), ...actor }) : null;
      if (removed !== null) total = (total ?? 0) + removed.messages;
      if (total === null) throw missing(id);
      if (removed === null || removed.isGone) return total;
    }
  }
}

function viewOf({ number: _number, last, summarised, ...row }: ThreadRow): ThreadView {
  return Object.assign(row, { lastSequence: last, summarisedSequence: summarised });
}

function messageView({ message, ...row }: ThreadMessageRow): ThreadMessageView {
  return Object.assign(messageOf(JSON.parse(message) as JsonObject), row);
}

function storableMessage(message: ThreadMessage, path: string): string {
  if (!isObject(message as unknown as Json)) throw bad(`${path} must be an object {role, content}`);
  const { role, content, toolCalls, toolCallId, name } = message;
  if (!ROLES.includes(role)) throw bad(`${path}.role must be ${ROLES.join(', ')}`);
  const isContent = content === null ? toolCalls !== undefined : typeof content === 'string' || Array.isArray(content);
  if (!isContent) throw bad(`${path}.content must be a text, or a list`);
  if (toolCalls !== undefined && !(Array.isArray(toolCalls) && toolCalls.every((call) => isObject(call as Json))))
    throw bad(`${path}.tool_calls must be a list of objects`);
  for (const [key, value] of Object.entries({ tool_call_id: toolCallId, name }))
    if (value !== undefined && (typeof value !== 'string' || value === '')) throw bad(`${path}.${key} must be a text`);
  if (role === 'tool' && toolCallId === undefined) throw bad(`${path}.tool_call_id is missing: which call does it answer?`);
  return storableText(storedMessage(message), path);
}

/** The text that is stored of a message. Throws `bad_request` if it cannot be. */
export function storableText(message: JsonObject, path: string): string {
  if (pathOfIllFormedText(message) !== null) throw bad(`${path} has text that is not valid Unicode (an unpaired surrogate)`);
  const text = JSON.stringify(message);
  if (/(?:^|[^\\])(?:\\\\)*\\u0000/.test(text)) throw bad(`${path} has a NUL character`);
  if (Buffer.byteLength(text) > MAX_MESSAGE) throw bad(`${path} is larger than 256 KiB`);
  return text;
}

export function isThreadId(id: unknown): id is string {
  return typeof id === 'string' && /^[^/\p{Cc}\p{Cs}]{1,256}$/u.test(id);
}

export function checkThreadId(id: unknown): void {
  if (!isThreadId(id)) throw bad('the id of a thread is a text of 1 to 256 characters, without / and control characters');
}

function missing(id: string): RuntimeError {
  return new RuntimeError('not_found', `thread ${truncated(id)} not found`);
}

function bad(message: string): RuntimeError {
  return new RuntimeError('bad_request', message);
}

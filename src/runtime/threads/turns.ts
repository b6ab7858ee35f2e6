import type { Json, JsonObject } from '../../../machines/json.ts';
import type { ThreadTurn } from '../../../machines/messages.ts';
import type { Redactor } from '../../../machines/redaction/redactor.ts';
import { shortened } from '../../../machines/shortened.ts';
import { ChurnMap } from '../../../store/churn-map.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { ThreadMessageRow, ThreadRow } from '../../../store/port/resources/threads.ts';
import { type WorkContext, WorkError } from '../../executors/executor.ts';
import { summaryMessage } from '../../executors/threads/message.ts';
import type { SummariseThread, ThreadReading, ThreadWindow } from '../../executors/threads/reading.ts';
import { RuntimeError } from '../errors.ts';
import { isThreadId, storableText, THREAD_LIMITS } from './threads.ts';

/** Of a thread that are summarised at once, so that a model can take them. */
const SUMMARISED = { messages: 1_000, bytes: 256 * 1024 };

interface Attempt extends Pick<WorkContext, 'tenantId' | 'signal'> {
  /** Null = the workflow has no data policy. */
  readonly redactor: Pick<Redactor, 'text'> | null;
}

/** The end of a thread. */
interface LastMessages {
  readonly thread: ThreadRow;
  /** The oldest first. */
  readonly messages: readonly ThreadMessageRow[];
  /** Whether there are messages before these, summarised or not. */
  readonly hasEarlier: boolean;
}

interface BegunTurn {
  readonly reading: ThreadReading;
  /** To be called when the outcome of the attempt is committed, or not wanted. */
  readonly leave: () => void;
}

/**
 * Turns in threads. Those of this process take place one after the other: each reads the thread when the one before is committed. What another process
 * or a request appends meanwhile is detected by the commit, and the turn takes place again.
 */
export class ThreadTurns {
  readonly #store: Pick<ExecutionStore, 'threads'>;
  /** By thread: resolves when its last turn has ended. */
  readonly #last = new ChurnMap<string, Promise<void>>();

  constructor(store: Pick<ExecutionStore, 'threads'>) {
    this.#store = store;
  }

  /** Rejects with `WorkError`. */
  async begin(attempt: Attempt, thread: Json, window: ThreadWindow): Promise<BegunTurn> {
    const id = idOf(thread);
    const { tenantId, redactor } = attempt;
    if (redactor !== null && redactor.text(id) !== id)
      throw failed('thread: the id is personal data by the data policy', 'validation');
    const leave = await this.#enter(`${tenantId}\n${id}`, attempt.signal);
    try {
      return { reading: await this.#read(attempt, id, window), leave };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Waits for the turns before. Rejects with the reason of the signal. */
  async #enter(key: string, signal: AbortSignal): Promise<() => void> {
    const before = this.#last.get(key);
    let end: () => void = () => {};
    const own = new Promise<void>((resolve) => {
      end = resolve;
    });
    const last = before === undefined ? own : before.then(() => own);
    this.#last.set(key, last);
    const leave = (): void => {
      end();
      void last.then(() => this.#forget(key, last));
    };
    if (before !== undefined) await unlessAborted(before, signal, leave);
    return leave;
  }

  #forget(key: string, last: Promise<void>): void {
    if (this.#last.get(key) === last) this.#last.delete(key);
  }

  async #read(attempt: Attempt, id: string, { maxMessages, summarise }: ThreadWindow): Promise<ThreadReading> {
    for (;;) {
      const end = await this.#lastMessages(attempt.tenantId, id, maxMessages);
      const thread = end?.thread ?? null;
      const reading = { id, append: (added: readonly JsonObject[]) => turnOf(id, thread, added) };
      if (end === null) return Object.assign(reading, { messages: [] });
      if (summarise === undefined)
        return Object.assign(reading, { messages: fromFirst(end.messages, (role) => role === 'user') });
      const open = end.messages.filter(({ sequence }) => sequence > end.thread.summarised);
      if (!end.hasEarlier || open.length < end.messages.length || open[0]?.sequence === end.thread.summarised + 1)
        return Object.assign(reading, { messages: summarisedMessages(end.thread, open) });
      await this.#summarise(attempt, end.thread, open, summarise);
    }
  }

  async #lastMessages(tenantId: string, id: string, limit: number): Promise<LastMessages | null> {
    const found = await this.#store.threads.messages(tenantId, id, { order: 'desc', cursor: null, limit });
    return found === null
      ? null
      : { thread: found.thread, messages: [...found.messages].reverse(), hasEarlier: found.next !== null };
  }

  /**
   * Summarises messages that are in no summary, the oldest first, and stores it; not all of them if that would be too much at once. It is stored apart
   * from the turn, which may fail. Another process may have done it meanwhile: then that summary stands.
   */
  async #summarise(
    { tenantId, redactor }: Attempt,
    { id, number, summary, summarised }: ThreadRow,
    open: readonly ThreadMessageRow[],
    { keep, summaryOf }: SummariseThread,
  ): Promise<void> {
    const { threads } = this.#store;
    const kept = open.slice(-keep).find(({ message }) => roleOf(message) !== 'tool');
    const end = kept === undefined ? (open.at(-1)?.sequence ?? 0) : kept.sequence - 1;
    const page = { order: 'asc', cursor: summarised, limit: Math.min(SUMMARISED.messages, end - summarised) } as const;
    const found = await threads.messages(tenantId, id, page);
    if (found?.thread.number !== number || found.thread.summarised !== summarised) return;
    const taken = firstWithin(
      found.messages.filter(({ sequence }) => sequence <= end),
      SUMMARISED.bytes,
    );
    const last = taken.at(-1);
    if (last === undefined) return;
    const text = await summaryOf(
      taken.map(({ message }) => JSON.parse(message) as JsonObject),
      summary,
    );
    const stored = redactor?.text(text) ?? text;
    await threads.summarise(tenantId, { id, number, summary: stored, summarised: last.sequence, summarisedBefore: summarised });
  }
}

/** Results of tools whose calls are summarised are left out: providers refuse them. */
function summarisedMessages({ summary }: ThreadRow, messages: readonly ThreadMessageRow[]): readonly JsonObject[] {
  if (summary === null) return fromFirst(messages, (role) => role === 'user');
  return [summaryMessage(summary), ...fromFirst(messages, (role) => role !== 'tool')];
}

function fromFirst(rows: readonly ThreadMessageRow[], isFirst: (role: Json) => boolean): readonly JsonObject[] {
  const messages = rows.map(({ message }) => JSON.parse(message) as JsonObject);
  const first = messages.findIndex(({ role = null }) => isFirst(role));
  return first < 0 ? [] : messages.slice(first);
}

function roleOf(message: string): Json {
  return (JSON.parse(message) as JsonObject).role ?? null;
}

/** At least one. */
function firstWithin(rows: readonly ThreadMessageRow[], bytes: number): readonly ThreadMessageRow[] {
  let sum = 0;
  const end = rows.findIndex(({ message }, index) => {
    sum += Buffer.byteLength(message);
    return index > 0 && sum > bytes;
  });
  return end < 0 ? rows : rows.slice(0, end);
}

function turnOf(id: string, thread: ThreadRow | null, added: readonly JsonObject[]): ThreadTurn {
  const messages = added.map((message) => {
    try {
      return storableText(message, 'a message of the turn');
    } catch (error) {
      if (error instanceof RuntimeError) throw failed(error.message, error.code === 'bad_request' ? 'validation' : error.code);
      throw error;
    }
  });
  const bytes = messages.reduce((sum, text) => sum + Buffer.byteLength(text), thread?.bytes ?? 0);
  if ((thread?.messages ?? 0) + messages.length > THREAD_LIMITS.messages || bytes > THREAD_LIMITS.bytes)
    throw failed(`the thread ${id} is full`, 'limit_exceeded_thread');
  const first = (thread?.last ?? 0) + 1;
  return { id, first, last: first + messages.length - 1, append: { number: thread?.number ?? null, messages } };
}

/** Numbers are ids, too: a template may give one. */
function idOf(thread: Json): string {
  const id = typeof thread === 'number' ? String(thread) : thread;
  if (isThreadId(id)) return id;
  const given = shortened(JSON.stringify(thread), 100);
  throw failed(`thread: ${given} is no id, which has 1 to 256 characters, without / and control characters`, 'validation');
}

function failed(message: string, errorClass: string): WorkError {
  return new WorkError(message, { retryable: false, errorClass });
}

function unlessAborted(wait: Promise<void>, signal: AbortSignal, leave: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      leave();
      reject(signal.reason);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void wait.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

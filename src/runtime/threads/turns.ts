import type { Json, JsonObject } from '../../../machines/json.ts';
import type { ThreadTurn } from '../../../machines/messages.ts';
import { shortened } from '../../../machines/shortened.ts';
import { ChurnMap } from '../../../store/churn-map.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { ThreadRow } from '../../../store/port/resources/threads.ts';
import { type WorkContext, WorkError } from '../../executors/executor.ts';
import type { ThreadReading, ThreadWindow } from '../../executors/threads/reading.ts';
import { RuntimeError } from '../errors.ts';
import { isThreadId, storableText, THREAD_LIMITS } from './threads.ts';

type Attempt = Pick<WorkContext, 'tenantId' | 'signal'>;

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
    const { tenantId } = attempt;
    const leave = await this.#enter(`${tenantId}\n${id}`, attempt.signal);
    try {
      return { reading: await this.#read(tenantId, id, window), leave };
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

  async #read(tenantId: string, id: string, { maxMessages }: ThreadWindow): Promise<ThreadReading> {
    const found = await this.#store.threads.messages(tenantId, id, { order: 'desc', cursor: null, limit: maxMessages });
    const messages = (found?.messages ?? []).map(({ message }) => JSON.parse(message) as JsonObject).reverse();
    const first = messages.findIndex(({ role }) => role === 'user');
    const thread = found?.thread ?? null;
    return {
      messages: first < 0 ? [] : messages.slice(first),
      append: (added) => turnOf(id, thread, added),
    };
  }
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

import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { DamagedEntryError } from '../../../store/port/errors.ts';
import type { LoggedEvent } from '../../../store/port/resources/event-log.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { EventView } from '../../runtime/types/executions.ts';
import type { ServerRuntime } from '../../runtime/types/server-runtime.ts';
import type { ControlDeps, Service } from '../service.ts';
import { Cursors } from './cursors.ts';
import { KeepAlive } from './keep-alive.ts';
import { LogTailer } from './log-tailer.ts';

/** Events scanned before yielding to the event loop: a few milliseconds. */
const EVENTS_PER_SLICE = 500;
/** Followers of one tenant read the same events at about the same time. Few are cached, since an event may hold megabytes. */
const MAX_CACHED_EVENTS = 16;

export interface LiveEvent {
  readonly logged: LoggedEvent;
  /** Null in a brief stream. */
  readonly event: EventView | null;
  /** Resumes right after this event. */
  readonly cursor: string;
}

export interface FollowOptions {
  /** Where to resume; null = from now on. */
  readonly cursor: string | null;
  readonly filter: (event: LoggedEvent) => boolean;
  /** Without the events' data, which is then not read: a stream that only tells what has changed costs little, however large the events are. */
  readonly brief?: boolean;
  readonly signal: AbortSignal;
  /** Resolves when the stream may do its next piece of work (fair scheduling of streams). */
  readonly pace: () => Promise<void>;
}

/** Streams the events of a tenant as they are committed. An idle follower costs no timer, query or wakeup. */
export class LiveEvents implements Service {
  readonly keepAlive: KeepAlive;
  readonly #deps: ControlDeps;
  readonly #tailer: LogTailer;
  readonly #cursors: Cursors;
  readonly #recent = new LRUCache<string, Promise<EventView | null>>({ max: MAX_CACHED_EVENTS });
  readonly #unsubscribe: () => void;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.keepAlive = new KeepAlive(deps.clock);
    this.#tailer = new LogTailer(deps.store.log, deps);
    this.#cursors = new Cursors(deps.store.log);
    this.#unsubscribe = deps.runtime.onCommit(() => this.#tailer.committed());
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {
    this.#unsubscribe();
    this.keepAlive.stop();
    await this.#tailer.close();
  }

  /**
   * Follows the events of a tenant without gaps, in commit order, until the signal aborts. Resolves with the cursor it starts from and the
   * events. Rejects with `bad_request` or `unknown_position` for an invalid cursor.
   */
  async follow(
    tenantId: string,
    options: FollowOptions,
  ): Promise<{ readonly cursor: string; readonly events: AsyncGenerator<LiveEvent> }> {
    const { log } = this.#deps.store;
    const { cursor } = options;
    const position = cursor === null ? await log.end() : await this.#cursors.open(tenantId, cursor);
    // Checks the position: a database restored from a backup may end before it.
    await log.after(position, { tenantId, limit: 1 });
    return {
      cursor: cursor ?? (await this.#cursors.seal(tenantId, position)),
      events: this.#events(tenantId, position, options),
    };
  }

  async *#events(
    tenantId: string,
    position: string,
    { filter: wanted, brief = false, signal, pace }: FollowOptions,
  ): AsyncGenerator<LiveEvent> {
    const { store } = this.#deps;
    for (let at = position; !signal.aborted; ) {
      await pace();
      const slice = await store.log.after(at, { tenantId, limit: EVENTS_PER_SLICE });
      for (const logged of slice.events) {
        if (!wanted(logged)) continue;
        await pace();
        if (signal.aborted) return;
        const event = brief ? null : await this.#event(logged);
        if (event === null && !brief) continue;
        yield { logged, event, cursor: await this.#cursors.seal(tenantId, logged.position) };
      }
      at = slice.position;
      if (slice.end) at = await this.#tailer.next(tenantId, at, signal);
      else await setImmediate();
    }
  }

  #event(logged: LoggedEvent): Promise<EventView | null> {
    const key = `${logged.executionId} ${logged.seq}`;
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const read = this.#read(logged);
    this.#recent.set(key, read);
    read.catch(() => this.#recent.delete(key));
    return read;
  }

  /** A damaged event is left out and reported: it would end the tenant's streams, again whenever a client resumes. */
  async #read(logged: LoggedEvent): Promise<EventView | null> {
    try {
      return await readEvent(this.#deps.runtime, logged);
    } catch (error) {
      if (!(error instanceof DamagedEntryError)) throw error;
      const message = `event ${logged.seq} of execution ${logged.executionId} is left out of streams: ${error.message}`;
      this.#deps.onError(new RuntimeError('corrupt', message, { cause: error }));
      return null;
    }
  }
}

/** Reads one event; null if the execution has been removed. */
export async function readEvent(
  runtime: ServerRuntime,
  { tenantId, executionId, seq }: Pick<LoggedEvent, 'tenantId' | 'executionId' | 'seq'>,
): Promise<EventView | null> {
  try {
    for await (const event of runtime.events(tenantId, executionId, { after: seq - 1, limit: 1 })) {
      return event.sequence === seq ? event : null;
    }
    return null;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'not_found') return null;
    throw error;
  }
}

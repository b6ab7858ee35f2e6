import type { ServerSentMessage } from './server-sent.ts';
import { ApiError, type CallOptions, type RequestOptions, type Transport, Unreachable } from './transport.ts';

/** Delay before a closed stream is opened again. */
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15_000;

/** What a stream is doing, for a page that shows it. */
export type StreamState =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  | {
      readonly state: 'waiting';
      readonly retryInMs: number;
      /** Why the connection was lost; null = the server has closed the stream, for example because it stops. */
      readonly error: Error | null;
      /** Connects at once, for example when the browser is online again. Does nothing after the state has changed. */
      readonly retryNow: () => void;
    }
  /** The stream is over. `error` is what the generator rejects with; null = it has ended, or was left or aborted. */
  | { readonly state: 'closed'; readonly error: unknown };

/**
 * A stream with this option outlives outages: when the connection is lost, or the server replies 5xx or 429, it is opened again behind the last
 * message, after 1, 2, 4 … seconds, at most 15 (less at random; a longer `Retry-After` of the server is kept to). It still rejects with
 * `ApiError` when the server refuses it, for example with 401.
 *
 * @example
 * for await (const event of client.live.execution(id, { reconnect: { onState: ({ state }) => show(state) } })) render(event);
 */
export interface Reconnect {
  readonly onState?: (state: StreamState) => void;
}

/** How a stream is followed. */
export interface StreamOptions extends CallOptions {
  /** Absent: the generator rejects with `Unreachable` when the connection is lost. */
  readonly reconnect?: Reconnect;
}

/** Messages of a stream until the one of type `end`, or until the server has none left. One that the server closes is opened again. */
export async function* reconnectingStream(
  transport: Transport,
  path: string,
  query: NonNullable<RequestOptions['query']>,
  { signal, reconnect }: StreamOptions,
): AsyncGenerator<ServerSentMessage, void, undefined> {
  const changed = reconnect?.onState ?? (() => undefined);
  let last: string | null = null;
  let failures = 0;
  const onId = (id: string): void => {
    last = id;
  };
  let closedBy: unknown = null;
  try {
    for (;;) {
      let lost: Error | null = null;
      try {
        changed({ state: 'connecting' });
        const messages = await transport.stream(path, {
          query,
          onId,
          headers: last === null ? {} : { 'last-event-id': last },
          ...(signal === undefined ? {} : { signal }),
        });
        if (messages === null) return;
        changed({ state: 'open' });
        for await (const message of messages) {
          failures = 0;
          if (message.event === 'end') return;
          if (message.id !== null) last = message.id;
          yield message;
        }
      } catch (error) {
        if (reconnect === undefined || !isPassing(error)) throw error;
        lost = error;
      }
      const retryInMs = reconnect === undefined ? FIRST_DELAY_MS : delayMs(failures, lost, Math.random());
      failures += 1;
      const wait = new Wait(retryInMs, signal);
      changed({ state: 'waiting', retryInMs, error: lost, retryNow: () => wait.end() });
      await wait.ended;
    }
  } catch (error) {
    if (signal?.aborted !== true) closedBy = error;
    throw error;
  } finally {
    changed({ state: 'closed', error: closedBy });
  }
}

/** The delay after so many failures in a row; `random` is from 0 to 1 and takes away up to half of it, so that not all clients come at once. */
export function delayMs(failures: number, error: Error | null, random: number): number {
  const limit = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures, 10));
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, Math.round(limit - (limit / 2) * random));
}

/** Whether the same request may succeed later. */
function isPassing(error: unknown): error is Error {
  return error instanceof Unreachable || (error instanceof ApiError && (error.status >= 500 || error.status === 429));
}

/** Ends after a time, or earlier when it is told to; rejects with the reason of the signal if that aborts first. */
class Wait {
  readonly ended: Promise<void>;
  readonly end: () => void;

  constructor(ms: number, signal: AbortSignal | undefined) {
    let end = (): void => {};
    this.ended = new Promise((resolve, reject) => {
      const timer = setTimeout(() => end(), ms);
      end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        if (signal?.aborted === true) reject(signal.reason);
        else resolve();
      };
    });
    this.end = end;
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
  }
}

import { onTestFinished } from 'vitest';
import { readMessages, type ServerSentMessage } from '../../src/client/server-sent.ts';

export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** Ids received without an event. */
  readonly bareIds: string[];
  /** Number of chunks received. */
  readonly chunks: () => number;
  /** The next message; null if the server has ended the stream. */
  next(): Promise<ServerSentMessage | null>;
  /** The remaining messages, until the server ends the stream. */
  remaining(): Promise<readonly ServerSentMessage[]>;
  /** Closes the connection. */
  disconnect(): void;
}

/** Opens a stream over a real socket; it is closed at the end of the test. */
export async function openEventStream(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: controller.signal });
  const marks: string[] = [];
  let pieces = 0;
  const alive = () => {
    pieces += 1;
  };
  const messages = response.body === null ? null : readMessages(response.body, { onData: alive, onId: (id) => marks.push(id) });
  const next = async () => {
    const read = await messages?.next();
    return read === undefined || read.done === true ? null : read.value;
  };
  return {
    status: response.status,
    headers: response.headers,
    bareIds: marks,
    chunks: () => pieces,
    next,
    async remaining() {
      const all: ServerSentMessage[] = [];
      for (let message = await next(); message !== null; message = await next()) all.push(message);
      return all;
    },
    disconnect: () => controller.abort(),
  };
}

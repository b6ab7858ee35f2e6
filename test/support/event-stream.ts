import { onTestFinished } from 'vitest';
import { readMessages, type ServerSentMessage } from '../../src/client/server-sent.ts';

export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** Ids that came without an event. */
  readonly bareIds: string[];
  /** How many pieces arrived. */
  readonly chunks: () => number;
  /** The next message; null when the server has ended the stream. */
  next(): Promise<ServerSentMessage | null>;
  /** All that is left, until the server ends it. */
  remaining(): Promise<readonly ServerSentMessage[]>;
  /** The client leaves. */
  disconnect(): void;
}

/** A client of a stream, over a real socket. It leaves when the test is over. */
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

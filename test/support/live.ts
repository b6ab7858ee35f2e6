import { onTestFinished } from 'vitest';
import { readMessages, type ServerSentMessage } from '../../src/client/server-sent.ts';

export interface OpenStream {
  readonly status: number;
  readonly headers: Headers;
  /** Ids that came without an event. */
  readonly marks: string[];
  /** How many pieces arrived. */
  readonly pieces: () => number;
  /** The next message; null when the server has ended the stream. */
  next(): Promise<ServerSentMessage | null>;
  /** All that is left, until the server ends it. */
  rest(): Promise<readonly ServerSentMessage[]>;
  /** The client leaves. */
  leave(): void;
}

/** A client of a stream, over a real socket. It leaves when the test is over. */
export async function openStream(url: string, headers: Readonly<Record<string, string>>): Promise<OpenStream> {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: controller.signal });
  const marks: string[] = [];
  let pieces = 0;
  const alive = () => {
    pieces += 1;
  };
  const messages = response.body === null ? null : readMessages(response.body, { alive, marked: (id) => marks.push(id) });
  const next = async () => {
    const read = await messages?.next();
    return read === undefined || read.done === true ? null : read.value;
  };
  return {
    status: response.status,
    headers: response.headers,
    marks,
    pieces: () => pieces,
    next,
    async rest() {
      const all: ServerSentMessage[] = [];
      for (let message = await next(); message !== null; message = await next()) all.push(message);
      return all;
    },
    leave: () => controller.abort(),
  };
}

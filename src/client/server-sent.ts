import { chunksOf } from './chunks.ts';

/** A message of an event stream. */
export interface ServerSentMessage {
  /** The last event id so far; null = none. */
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

export interface MessageObserver {
  /** Called for every chunk, comments included. */
  readonly onData: () => void;
  /** Called for an id without data. */
  readonly onId: (id: string) => void;
}

/** Parses an event stream, without comments. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function readMessages(body: ReadableStream<Uint8Array>, observer: MessageObserver): AsyncGenerator<ServerSentMessage> {
  return parsed(chunksOf(body), observer);
}

async function* parsed(chunks: AsyncIterable<Uint8Array>, { onData, onId }: MessageObserver): AsyncGenerator<ServerSentMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  let id: string | null = null;
  let event = '';
  let data: string[] = [];
  for await (const piece of chunks) {
    onData();
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, event: event === '' ? 'message' : event, data: data.join('\n') };
        else if (id !== null) onId(id);
        event = '';
        data = [];
        continue;
      }
      const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
      if (name === 'id') id = value;
      else if (name === 'event') event = value;
      else if (name === 'data') data.push(value);
    }
  }
}

/** One message of a stream of server-sent events. */
export interface ServerSentMessage {
  /** The last id given so far; null = none yet. */
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

export interface MessageObserver {
  /** Called with every piece that arrives, comments included. */
  readonly onData: () => void;
  /** Called when an id comes without an event. */
  readonly onId: (id: string) => void;
}

/** Reads messages as the HTML standard says (https://html.spec.whatwg.org/multipage/server-sent-events.html), comments passed over. */
export async function* readMessages(
  body: AsyncIterable<Uint8Array>,
  { onData, onId }: MessageObserver,
): AsyncGenerator<ServerSentMessage> {
  const decoder = new TextDecoder();
  let rest = '';
  let id: string | null = null;
  let event = '';
  let data: string[] = [];
  for await (const piece of body) {
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

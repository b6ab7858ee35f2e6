import type { History } from '../history.ts';
import type { Client } from './client.ts';

/** Longer than the keep-alive interval of a stream: a stream that is silent for longer is dead. */
const SILENCE_TIMEOUT_MS = 20_000;

interface Frame {
  readonly id: string | null;
  readonly event: string | null;
  readonly data: string | null;
}

/** Reads a stream of server-sent events, and resumes it whenever it breaks. */
export class StreamFollower {
  /** Received events by execution, in order. */
  readonly received = new Map<string, { readonly sequence: number; readonly kind: string }[]>();
  /** Number of reconnects. */
  reconnects = 0;
  readonly name: string;
  readonly #path: string;
  readonly #client: Client;
  readonly #history: History;
  readonly #stop = new AbortController();
  #lastId: string | null = null;
  /** The server has ended the stream for good. */
  hasEnded = false;

  constructor(name: string, path: string, client: Client, history: History) {
    this.name = name;
    this.#path = path;
    this.#client = client;
    this.#history = history;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Resolves when the stream has ended for good, or after `stop`. `onStart` is called with the first id. */
  async follow(onStart: () => void = () => {}): Promise<void> {
    const stopped = AbortSignal.any([this.#stop.signal, this.#client.stopped]);
    while (!stopped.aborted && !this.hasEnded) {
      try {
        await this.#read(stopped, onStart);
      } catch {
        // The connection broke.
      }
      if (stopped.aborted || this.hasEnded) return;
      this.reconnects += 1;
      await this.#client.pause().catch(() => {});
    }
  }

  async #read(stopped: AbortSignal, onStart: () => void): Promise<void> {
    const member = this.#client.server();
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_TIMEOUT_MS);
    try {
      const response = await fetch(`${member.url}${this.#path}`, {
        headers: {
          accept: 'text/event-stream',
          authorization: `Bearer ${member.token}`,
          ...(this.#lastId === null ? {} : { 'last-event-id': this.#lastId }),
        },
        signal: AbortSignal.any([stopped, silence.signal]),
      });
      if (response.status === 204) this.hasEnded = true;
      if (response.status >= 400 && response.status !== 503) {
        const detail = `${this.name} ${this.#path} after ${this.#lastId}: ${response.status} ${await response.text()}`;
        this.#history.addViolation('a stream can be resumed', detail);
        this.hasEnded = true;
      }
      if (response.status !== 200 || response.body === null) return;
      for await (const frame of readFrames(response.body, () => timer.refresh())) this.#onFrame(frame, onStart);
    } finally {
      clearTimeout(timer);
    }
  }

  #onFrame({ id, event, data }: Frame, began: () => void): void {
    if (id !== null) {
      this.#lastId = id;
      began();
    }
    if (event === 'end') {
      this.hasEnded = true;
      return;
    }
    if (data === null) return;
    const {
      execution_id: execution,
      sequence,
      kind,
    } = JSON.parse(data) as {
      readonly execution_id: string;
      readonly sequence: number;
      readonly kind: string;
    };
    const shown = this.received.get(execution) ?? [];
    shown.push({ sequence, kind });
    this.received.set(execution, shown);
  }
}

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* readFrames(body: AsyncIterable<Uint8Array>, onChunk: () => void): AsyncGenerator<Frame> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    onChunk();
    rest += decoder.decode(piece, { stream: true });
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string): string | null => {
        const line = block.split('\n').find((line) => line.startsWith(`${name}:`));
        return line === undefined ? null : line.slice(name.length + 1).trimStart();
      };
      yield { id: field('id'), event: field('event'), data: field('data') };
    }
  }
}

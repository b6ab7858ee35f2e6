import type { ProcessMessage, ProcessMessages } from '../../port/process-messages.ts';
import type { Connections } from '../connections.ts';
import { SEND_MESSAGES } from '../queries/commit.ts';

const TO_ALL = 'jamjet_messages';

/** Messages as notifications: each process listens to a channel of its own besides that of all. */
export class PostgresMessages implements ProcessMessages {
  readonly self: string;
  readonly #connections: Connections;
  readonly #receivers = new Set<(text: string) => void>();
  #pending: ProcessMessage[] = [];
  /** The query that is running. */
  #sending: Promise<void> = Promise.resolve();
  /** The query after it, which takes all that is pending by then. */
  #next: Promise<void> | null = null;

  constructor(connections: Connections, self: string) {
    this.#connections = connections;
    this.self = self;
  }

  get channels(): readonly string[] {
    return [TO_ALL, channelOf(this.self)];
  }

  send(messages: readonly ProcessMessage[]): Promise<void> {
    for (const message of messages) this.#pending.push(message);
    this.#next ??= this.#sendAfter(this.#sending);
    return this.#next;
  }

  receive(receiver: (text: string) => void): () => void {
    this.#receivers.add(receiver);
    return () => this.#receivers.delete(receiver);
  }

  deliver(text: string): void {
    for (const receiver of this.#receivers) receiver(text);
  }

  async #sendAfter(before: Promise<void>): Promise<void> {
    // Its sender reports its error.
    await before.catch(() => {});
    const messages = this.#pending.map(({ to, text }) => [to === null ? TO_ALL : channelOf(to), text]);
    this.#pending = [];
    this.#sending = this.#connections.query(SEND_MESSAGES, [JSON.stringify(messages)]).then(() => {});
    this.#next = null;
    await this.#sending;
  }
}

function channelOf(process: string): string {
  return `${TO_ALL}_${process}`;
}

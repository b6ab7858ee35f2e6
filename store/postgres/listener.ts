import type { Client } from 'pg';
import type { Notice } from '../notices.ts';
import { type Connections, part } from './connections.ts';
import { GAP, heard } from './notices.ts';

const CHANNEL = 'jamjet';
const RECONNECT_MS = 1_000;
/** Notifications can be lost without a trace, by a proxy that drops them for one: now and then everybody looks for himself. */
const SWEEP_MS = 30_000;

/** Listens to what other processes commit, on a connection of its own, and listens again when that breaks. */
export class Listener {
  readonly #connections: Connections;
  readonly #self: string;
  readonly #failed: (error: Error) => void;
  readonly #missed: () => void;
  readonly #told = new Set<(notice: Notice) => void>();
  #client: Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #closed = false;

  /** `missed` is called whenever something may have been missed. */
  constructor(connections: Connections, self: string, failed: (error: Error) => void, missed: () => void) {
    this.#connections = connections;
    this.#self = self;
    this.#failed = failed;
    this.#missed = missed;
  }

  watch(told: (notice: Notice) => void): () => void {
    this.#told.add(told);
    if (this.#told.size === 1) {
      void this.#listen();
      this.#sweep = setInterval(() => this.#lookAgain(), SWEEP_MS);
      this.#sweep.unref();
    }
    return () => this.#told.delete(told);
  }

  /** What this process had committed is gone. The others need not be told: each finds out what it has lost itself. */
  setBack(): void {
    this.#tell({ ...GAP, setBack: true });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#sweep);
    this.#told.clear();
    if (this.#client !== null) await part(this.#client);
  }

  async #listen(): Promise<void> {
    if (this.#closed) return;
    let made: Client | null = null;
    try {
      const client = await this.#connections.listening();
      made = client;
      this.#client = client;
      client.on('notification', ({ payload }) => {
        if (payload !== undefined) this.#hear(payload);
      });
      client.once('error', (error: Error) => this.#again(client, error));
      client.once('end', () => this.#again(client, null));
      await client.query(`LISTEN ${CHANNEL}`);
      if (this.#closed) await part(client);
      else this.#lookAgain();
    } catch (error) {
      this.#again(this.#client, error instanceof Error ? error : new Error(String(error)));
      // A standby takes connections, and refuses to be listened to: each attempt would leave one more behind.
      if (made !== null) await part(made);
    }
  }

  #again(client: Client | null, error: Error | null): void {
    if (this.#closed || (client !== null && client !== this.#client)) return;
    this.#client = null;
    if (error !== null) this.#failed(error);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#listen(), RECONNECT_MS);
  }

  #hear(text: string): void {
    const notice = heard(text, this.#self);
    if (notice !== null) this.#tell(notice);
  }

  #lookAgain(): void {
    this.#missed();
    this.#tell(GAP);
  }

  #tell(notice: Notice): void {
    for (const told of this.#told) told(notice);
  }
}

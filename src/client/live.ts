import type { Event } from '../api/schemas/events.ts';
import { type CallOptions, pathSegment, type Transport } from './transport.ts';

/** Delay before a closed stream is opened again. */
const RECONNECT_MS = 1_000;

export interface LiveSelection extends CallOptions {
  /** Event kinds in snake_case or PascalCase; absent = all. */
  readonly kinds?: readonly string[];
}

export interface TenantEvent {
  /** Pass as `after` to continue behind this event. */
  readonly position: string;
  readonly event: Event & { readonly workflow_id: string };
}

/** A part of the text that a model is writing. */
export interface LiveTextDelta {
  readonly execution_id: string;
  readonly node_id: string;
  readonly activation: number;
  readonly attempt: number;
  /** Where the part begins in the attempt's text. */
  readonly index: number;
  readonly text: string;
}

/** How far an attempt is, as its tool says. */
export interface LiveProgress {
  readonly execution_id: string;
  readonly node_id: string;
  readonly activation: number;
  readonly attempt: number;
  /** From 0 to 1; null = not said. */
  readonly fraction: number | null;
  /** Null = not said. */
  readonly text: string | null;
}

/** What running attempts show: texts of models (`index` is a number), and the progress of tools. */
export type LiveUpdate = LiveTextDelta | LiveProgress;

/** After every event: a stream from there holds only texts. */
const NO_EVENTS = 1_000_000_000;

/** Event streams. The generators reject like the methods of `JamjetClient`. */
export class LiveClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The log of an execution after the sequence `after`, then new events until it ends. Reopens a stream that the server closes early. */
  async *execution(
    id: string,
    { after = 0, kinds, nodeId, signal }: LiveSelection & { readonly after?: number; readonly nodeId?: string } = {},
  ): AsyncGenerator<Event, void, undefined> {
    const query = { ...kindQuery(kinds), node_id: nodeId, format: 'seed', follow: 'true', after };
    let last: string | null = null;
    for (;;) {
      const messages = await this.#open(`/executions/${pathSegment(id)}/events`, { query, last, signal });
      if (messages === null) return;
      for await (const message of messages) {
        if (message.event === 'end') return;
        if (message.event === 'delta' || message.event === 'progress') continue;
        last = message.id;
        yield JSON.parse(message.data) as Event;
      }
      await sleep(signal);
    }
  }

  /** The texts that models write for an execution while they do, until it ends. Reopens a stream that the server closes early. */
  async *deltas(id: string, options: CallOptions = {}): AsyncGenerator<LiveTextDelta, void, undefined> {
    for await (const update of this.updates(id, options)) if ('index' in update) yield update;
  }

  /** `deltas`, and what tools report by `context.progress`: the last report of each attempt, then each further one. */
  async *updates(id: string, { signal }: CallOptions = {}): AsyncGenerator<LiveUpdate, void, undefined> {
    const query = { format: 'seed', follow: 'true', after: NO_EVENTS };
    for (;;) {
      const messages = await this.#open(`/executions/${pathSegment(id)}/events`, { query, last: null, signal });
      if (messages === null) return;
      for await (const { event, data } of messages) {
        if (event === 'end') return;
        if (event === 'delta' || event === 'progress') yield JSON.parse(data) as LiveUpdate;
      }
      await sleep(signal);
    }
  }

  /** Events of all executions of the tenant, from now on or after the `position` of an earlier event. Never ends by itself. */
  async *tenant({
    kinds,
    workflowId,
    after,
    signal,
  }: LiveSelection & { readonly workflowId?: string; readonly after?: string } = {}): AsyncGenerator<
    TenantEvent,
    void,
    undefined
  > {
    const query = { ...kindQuery(kinds), workflow_id: workflowId, format: 'seed', after };
    let last: string | null = null;
    const onId = (id: string): void => {
      last = id;
    };
    for (;;) {
      const messages = await this.#open('/events/stream', { query, last, signal, onId });
      if (messages === null) return;
      for await (const { id, data } of messages) {
        last = id;
        yield { position: id ?? '', event: JSON.parse(data) as TenantEvent['event'] };
      }
      await sleep(signal);
    }
  }

  #open(
    path: string,
    stream: {
      readonly query: Readonly<Record<string, string | number | undefined>>;
      readonly last: string | null;
      readonly signal: AbortSignal | undefined;
      readonly onId?: (id: string) => void;
    },
  ) {
    const { query, last, signal, onId = () => undefined } = stream;
    return this.#transport.stream(path, {
      query,
      onId,
      headers: last === null ? {} : { 'last-event-id': last },
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

export function kindQuery(kinds: readonly string[] | undefined): { readonly kind?: string } {
  return kinds === undefined || kinds.length === 0 ? {} : { kind: kinds.join(',') };
}

/** Resolves after `RECONNECT_MS`; rejects with the reason of the signal if that aborts first. */
function sleep(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, RECONNECT_MS);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

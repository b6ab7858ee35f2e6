import type { Event, EventOutline } from '../api/schemas/events.ts';
import { reconnectingStream, type StreamOptions } from './reconnecting-stream.ts';
import type { ServerSentMessage } from './server-sent.ts';
import { pathSegment, type Transport } from './transport.ts';

/** Which events are followed. */
export interface LiveSelection extends StreamOptions {
  /** Event kinds in snake_case or PascalCase; absent = all. */
  readonly kinds?: readonly string[];
}

/** An event of any execution of the tenant. */
export interface TenantEvent {
  /** Pass as `after` to continue behind this event. */
  readonly position: string;
  readonly event: Event & { readonly workflow_id: string };
}

/** The same without its data. */
export interface TenantChange {
  /** Pass as `after` to continue behind this event. */
  readonly position: string;
  /** The event without its data. */
  readonly event: EventOutline;
}

/** A part of the text that a model is writing. */
export interface LiveTextDelta {
  readonly execution_id: string;
  readonly node_id: string;
  readonly activation: number;
  readonly attempt: number;
  /** Which item of the list that the node works on; absent = it works on none. */
  readonly item?: number;
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
  readonly item?: number;
  /** From 0 to 1; null = not said. */
  readonly fraction: number | null;
  /** Null = not said. */
  readonly text: string | null;
}

/** What running attempts show: texts of models (`index` is a number), and the progress of tools. */
export type LiveUpdate = LiveTextDelta | LiveProgress;

/** After every event: a stream from there holds only texts. */
const NO_EVENTS = 1_000_000_000;

/** An event of the log, or what a running attempt shows meanwhile. */
export type LiveMessage = { readonly event: Event } | { readonly update: LiveUpdate };

/**
 * Event streams. The generators reject like the methods of `JamjetClient`. A stream that the server closes early is opened again; with
 * `reconnect`, also one whose connection is lost. Nothing is lost or repeated then, except that texts come from their beginning again.
 */
export class LiveClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The log of an execution after the sequence `after`, then new events until it ends. */
  async *execution(
    id: string,
    { after = 0, kinds, nodeId, ...options }: LiveSelection & { readonly after?: number; readonly nodeId?: string } = {},
  ): AsyncGenerator<Event, void, undefined> {
    for await (const message of this.#log(id, { ...kindQuery(kinds), node_id: nodeId, after }, options)) {
      if (!isUpdate(message)) yield JSON.parse(message.data) as Event;
    }
  }

  /**
   * `execution` and `updates` in one stream: the log after the sequence `after`, and what running attempts show, until it ends.
   *
   * @example
   * for await (const message of client.live.feed(id, { after: model.sequence, reconnect: {} })) {
   *   if ('event' in message) model.apply(message.event);
   *   else texts.apply(message.update);
   * }
   */
  async *feed(
    id: string,
    { after = 0, nodeId, ...options }: StreamOptions & { readonly after?: number; readonly nodeId?: string } = {},
  ): AsyncGenerator<LiveMessage, void, undefined> {
    for await (const message of this.#log(id, { node_id: nodeId, after }, options)) {
      if (isUpdate(message)) yield { update: JSON.parse(message.data) as LiveUpdate };
      else yield { event: JSON.parse(message.data) as Event };
    }
  }

  /** The texts that models write for an execution while they do, until it ends. */
  async *deltas(id: string, options: StreamOptions = {}): AsyncGenerator<LiveTextDelta, void, undefined> {
    for await (const update of this.updates(id, options)) if ('index' in update) yield update;
  }

  /** `deltas`, and what tools report by `context.progress`: the last report of each attempt, then each further one. */
  async *updates(id: string, options: StreamOptions = {}): AsyncGenerator<LiveUpdate, void, undefined> {
    for await (const message of this.#log(id, { after: NO_EVENTS }, options)) {
      if (isUpdate(message)) yield JSON.parse(message.data) as LiveUpdate;
    }
  }

  /** Events of all executions of the tenant, from now on or after the `position` of an earlier event. Never ends by itself. */
  async *tenant({
    kinds,
    workflowId,
    after,
    ...options
  }: LiveSelection & { readonly workflowId?: string; readonly after?: string } = {}): AsyncGenerator<
    TenantEvent,
    void,
    undefined
  > {
    const query = { ...kindQuery(kinds), workflow_id: workflowId, format: 'seed', after };
    for await (const { id, data } of reconnectingStream(this.#transport, '/events/stream', query, options)) {
      yield { position: id ?? '', event: JSON.parse(data) as TenantEvent['event'] };
    }
  }

  /**
   * `tenant` without the data of the events, which costs the server and the connection little: to know which executions have changed.
   *
   * @example
   * for await (const { event } of client.live.changes({ kinds: STATUS_EVENTS, reconnect: {} })) stale.add(event.execution_id);
   */
  async *changes({
    kinds,
    workflowId,
    after,
    ...options
  }: LiveSelection & { readonly workflowId?: string; readonly after?: string } = {}): AsyncGenerator<
    TenantChange,
    void,
    undefined
  > {
    const query = { ...kindQuery(kinds), workflow_id: workflowId, format: 'seed', brief: 'true', after };
    for await (const { id, data } of reconnectingStream(this.#transport, '/events/stream', query, options)) {
      yield { position: id ?? '', event: JSON.parse(data) as EventOutline };
    }
  }

  #log(
    id: string,
    query: Readonly<Record<string, string | number | undefined>>,
    options: StreamOptions,
  ): AsyncGenerator<ServerSentMessage, void, undefined> {
    const path = `/executions/${pathSegment(id)}/events`;
    return reconnectingStream(this.#transport, path, { ...query, format: 'seed', follow: 'true' }, options);
  }
}

function isUpdate({ event }: ServerSentMessage): boolean {
  return event === 'delta' || event === 'progress';
}

export function kindQuery(kinds: readonly string[] | undefined): { readonly kind?: string } {
  return kinds === undefined || kinds.length === 0 ? {} : { kind: kinds.join(',') };
}

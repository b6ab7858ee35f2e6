import { History } from '../../../../../machines/history/history.ts';
import type { JsonObject } from '../../../../../machines/json.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import type { LiveUpdate } from '../../../../../src/client/live.ts';
import { LiveGraph } from '../../../../../src/views/graph.ts';
import { Spans } from '../../../../../src/views/spans.ts';
import { nodeKindsOf } from '../../../../../src/views/timeline.ts';
import { RunningAttempts } from './running-attempts.ts';

/**
 * What a part of the page is about: `status` of the execution, all `events`, the `spans` of the timeline, what running attempts of a node show
 * (`running:NODE`), the events of a node (`node:NODE`), a node or an edge of the graph by its id (`shape:ID`).
 */
export type LogTopic = 'status' | 'events' | 'spans' | `running:${string}` | `node:${string}` | `shape:${string}`;

interface Subscribers {
  version: number;
  readonly listeners: Set<() => void>;
}

/**
 * The log of an execution and what follows from it. `apply` costs the same however long the log is; parts of the page learn of changes by
 * `flush`, which is called some times a second at most.
 */
export class ExecutionLog {
  readonly history = new History();
  readonly spans: Spans;
  /** Null = the document cannot be drawn; `problem` says why. */
  readonly graph: LiveGraph | null;
  readonly problem: unknown;
  readonly running = new RunningAttempts();
  /** How far the server's clock is ahead of that of this machine, as far as its events show it. */
  #aheadMs = 0;
  readonly #events: Event[] = [];
  readonly #byNode = new Map<string, Event[]>();
  readonly #topics = new Map<LogTopic, Subscribers>();
  readonly #changed = new Set<LogTopic>();

  constructor(document: JsonObject) {
    this.spans = new Spans(nodeKindsOf(document), this.history);
    const { graph, problem } = drawable(document, this.history);
    this.graph = graph;
    this.problem = problem;
  }

  /** From the first one on. The array grows in place. */
  get events(): readonly Event[] {
    return this.#events;
  }

  /** Those of a node, in order. */
  eventsOf(node: string): readonly Event[] {
    return this.#byNode.get(node) ?? NO_EVENTS;
  }

  /** Sequence of the last event; 0 = none. */
  get sequence(): number {
    return this.#events.at(-1)?.sequence ?? 0;
  }

  /** The time of the server. */
  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Events that are known already are left out, so that a stream may repeat some. */
  apply(event: Event): void {
    if (event.sequence <= this.sequence) return;
    this.#events.push(event);
    this.#aheadMs = Math.max(this.#aheadMs, Date.parse(event.created_at) - Date.now());
    this.spans.apply(event);
    this.graph?.apply(event);
    this.#changed.add('events');
    const { node_id: node, type } = event;
    if (node === null) {
      this.#changed.add('status');
      return;
    }
    const known = this.#byNode.get(node);
    if (known === undefined) this.#byNode.set(node, [event]);
    else known.push(event);
    this.#changed.add(`node:${node}`);
    if (ATTEMPT_ENDS.has(type)) this.running.end(node);
  }

  show(update: LiveUpdate): void {
    this.running.apply(update);
    this.#changed.add(`running:${update.node_id}`);
  }

  /** Tells the parts of the page what has changed since the last call. */
  flush(): void {
    if (this.spans.takeChanged().size > 0 || this.#changed.has('status')) this.#changed.add('spans');
    if (this.graph !== null) {
      const { nodes, edges } = this.graph.takeChanges();
      for (const id of nodes) this.#changed.add(`shape:${id}`);
      for (const id of edges) this.#changed.add(`shape:${id}`);
      // It may be paused without an event of its own, when all that is in progress waits.
      if (this.#changed.has('events')) this.#changed.add('status');
    }
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const topic of changed) {
      const subscribers = this.#topics.get(topic);
      if (subscribers === undefined) continue;
      subscribers.version += 1;
      for (const listener of subscribers.listeners) listener();
    }
  }

  subscribe(topic: LogTopic, listener: () => void): () => void {
    const { listeners } = this.#subscribers(topic);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Grows when what the topic is about has changed. */
  version(topic: LogTopic): number {
    return this.#subscribers(topic).version;
  }

  #subscribers(topic: LogTopic): Subscribers {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const subscribers: Subscribers = { version: 0, listeners: new Set() };
    this.#topics.set(topic, subscribers);
    return subscribers;
  }
}

const NO_EVENTS: readonly Event[] = [];
const ATTEMPT_ENDS: ReadonlySet<string> = new Set(['node_completed', 'node_failed', 'node_cancelled']);

/** A document of a later release may have what this one does not know. */
function drawable(document: JsonObject, history: History): Pick<ExecutionLog, 'graph' | 'problem'> {
  try {
    return { graph: new LiveGraph(document, history), problem: null };
  } catch (problem) {
    return { graph: null, problem };
  }
}

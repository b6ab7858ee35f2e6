import { isObject, type JsonObject } from '../../../machines/json.ts';
import { type JamjetClient, Unreachable } from '../../client.ts';
import { pause } from '../pause.ts';
import type { Paint } from '../terminal/paint.ts';
import type { Screen } from '../terminal/screen.ts';
import { plain, width } from '../terminal/text.ts';
import { renderActive, renderEntry } from '../texts/timeline.ts';
import { type Active, kindsOf, Timeline, type TimelineEvent } from '../timeline.ts';
import type { Asker } from './asker.ts';

/** How long a server that is gone is waited for. */
const RECONNECT_MS = 10_000;
const RETRY_MS = 500;
const MIN_NODE_WIDTH = 8;
const MAX_NODE_WIDTH = 32;
/** Columns beside the node: mark, time, attempt, a word or two. */
const REST_WIDTH = 36;

export interface Following {
  readonly client: JamjetClient;
  /** Null prints nothing. */
  readonly screen: Screen | null;
  readonly paint: Paint;
  /** Null: nobody is asked. */
  readonly asker: Asker | null;
  readonly signal: AbortSignal;
}

/** An execution on the screen; the nodes of a child execution stand under `parent/`. */
interface Watched {
  readonly id: string;
  readonly prefix: string;
  readonly timeline: Timeline;
}

/** Prints what happens to an execution and its children, and keeps the asker up to date. */
export class Follower {
  readonly #following: Following;
  readonly #watching = new Set<Watched>();
  #seen = 0;
  /** Columns for node names: grows with the workflows watched. */
  #nodeWidth = MIN_NODE_WIDTH;

  constructor(following: Following) {
    this.#following = following;
  }

  /** Sequence of the execution's last event seen. */
  get seen(): number {
    return this.#seen;
  }

  /** What is under way, in the execution and its children. */
  get active(): readonly Active[] {
    return [...this.#watching].flatMap(({ timeline }) => timeline.active);
  }

  /** Will a timer move something on, even if nobody does anything? */
  get timed(): boolean {
    return [...this.#watching].some(({ timeline }) => timeline.timed.size > 0);
  }

  /**
   * Resolves when the execution has ended; rejects with the reason of the signal when that aborts first. `onEvent` sees the
   * events of the execution itself, not of its children.
   */
  async run(id: string, onEvent: (event: TimelineEvent) => void): Promise<void> {
    const { screen } = this.#following;
    screen?.show((spinner, nowMs) => this.#activity(spinner, nowMs));
    try {
      await this.#watch(id, '', (event) => {
        this.#seen = event.sequence;
        onEvent(event);
      });
    } finally {
      screen?.close();
    }
  }

  #activity(spinner: string, nowMs: number): readonly string[] {
    const { paint } = this.#following;
    return [...this.#watching].flatMap(({ timeline, prefix }) =>
      timeline.active.map((active) =>
        renderActive({ ...active, node: prefix + active.node }, this.#nodeWidth, nowMs, spinner, paint),
      ),
    );
  }

  async #watch(id: string, prefix: string, onEvent: (event: TimelineEvent) => void): Promise<void> {
    const { client, asker, screen, signal } = this.#following;
    const { workflow_id, workflow_version } = await client.execution(id, { signal });
    const { ir } = await client.workflow(workflow_id, workflow_version, { signal });
    const room = Math.max(MIN_NODE_WIDTH, Math.min(MAX_NODE_WIDTH, (screen?.columns ?? 80) - REST_WIDTH));
    for (const node of nodeIds(ir)) this.#nodeWidth = Math.min(room, Math.max(this.#nodeWidth, width(plain(prefix + node))));
    const watched: Watched = { id, prefix, timeline: new Timeline(kindsOf(ir)) };
    const children: Promise<void>[] = [];
    this.#watching.add(watched);
    try {
      for await (const event of this.#log(watched.id)) {
        onEvent(event);
        this.#print(watched, event);
        asker?.update(watched.id, watched.prefix, watched.timeline);
        const childId = event.type === 'child_workflow_started' ? event.data.child_execution_id : undefined;
        if (typeof childId !== 'string') continue;
        const child = this.#watch(childId, `${prefix}${event.node_id}/`, () => undefined);
        // Waited for below; until then its failure must not count as one nobody looks at.
        child.catch(() => undefined);
        children.push(child);
      }
      await Promise.all(children);
    } finally {
      this.#watching.delete(watched);
      asker?.forget(watched.id);
    }
  }

  /** The log to its end. A server that restarts meanwhile is waited for: executions outlive it. */
  async *#log(id: string): AsyncGenerator<TimelineEvent> {
    const { client, screen, paint, signal } = this.#following;
    let after = 0;
    for (let lostAtMs: number | null = null; ; ) {
      try {
        for await (const event of client.follow(id, { after, signal })) {
          lostAtMs = null;
          after = event.sequence;
          yield event;
        }
        return;
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        if (lostAtMs === null) screen?.print(`  ${paint.yellow('!')} ${paint.dim(`lost ${client.url}: trying again`)}`);
        lostAtMs ??= Date.now();
        if (Date.now() - lostAtMs > RECONNECT_MS) throw error;
        await pause(RETRY_MS, signal);
      }
    }
  }

  #print({ timeline, prefix }: Watched, event: TimelineEvent): void {
    const { screen, paint } = this.#following;
    for (const entry of timeline.apply(event)) {
      const node = entry.node === null ? null : prefix + entry.node;
      // What moves on a terminal need not be told twice.
      if (entry.mark === 'running' && screen?.animated === true) continue;
      screen?.print(renderEntry({ ...entry, node }, this.#nodeWidth, paint));
    }
  }
}

function nodeIds(ir: JsonObject): readonly string[] {
  return Object.keys(isObject(ir.nodes) ? ir.nodes : {});
}

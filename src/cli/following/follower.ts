import { isObject, type JsonObject } from '../../../machines/json.ts';
import { type JamjetClient, Unreachable } from '../../client/index.ts';
import { type ActiveNode, nodeKindsOf, Timeline, type TimelineEvent } from '../../views/timeline.ts';
import { sleep } from '../sleep.ts';
import type { Paint } from '../terminal/paint.ts';
import type { Screen } from '../terminal/screen.ts';
import { plain, width } from '../terminal/text.ts';
import { renderActive, renderEntry } from '../texts/timeline.ts';
import type { Prompter } from './prompter.ts';

/** How long a server that is gone is waited for. */
const RECONNECT_TIMEOUT_MS = 10_000;
const RETRY_MS = 500;
const MIN_NODE_WIDTH = 8;
const MAX_NODE_WIDTH = 32;
/** Columns beside the node: mark, time, attempt, a word or two. */
const OTHER_COLUMNS_WIDTH = 36;

export interface FollowerOptions {
  readonly client: JamjetClient;
  /** Null prints nothing. */
  readonly screen: Screen | null;
  readonly paint: Paint;
  /** Null: nobody is asked. */
  readonly prompter: Prompter | null;
  readonly signal: AbortSignal;
}

/** An execution on the screen; the nodes of a child execution stand under `parent/`. */
interface FollowedExecution {
  readonly id: string;
  readonly prefix: string;
  readonly timeline: Timeline;
}

/** Prints what happens to an execution and its children, and keeps the asker up to date. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #followed = new Set<FollowedExecution>();
  #lastSequence = 0;
  /** Columns for node names: grows with the workflows watched. */
  #nodeWidth = MIN_NODE_WIDTH;

  constructor(following: FollowerOptions) {
    this.#options = following;
  }

  /** Sequence of the execution's last event seen. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** What is under way, in the execution and its children. */
  get active(): readonly ActiveNode[] {
    return [...this.#followed].flatMap(({ timeline }) => timeline.active);
  }

  /** Will a timer move something on, even if nobody does anything? */
  get hasTimer(): boolean {
    return [...this.#followed].some(({ timeline }) => timeline.nodesWithTimer.size > 0);
  }

  /**
   * Resolves when the execution has ended; rejects with the reason of the signal when that aborts first. `onEvent` sees the
   * events of the execution itself, not of its children.
   */
  async run(id: string, onEvent: (event: TimelineEvent) => void): Promise<void> {
    const { screen } = this.#options;
    screen?.show((spinner, nowMs) => this.#activity(spinner, nowMs));
    try {
      await this.#followExecution(id, '', (event) => {
        this.#lastSequence = event.sequence;
        onEvent(event);
      });
    } finally {
      screen?.close();
    }
  }

  #activity(spinner: string, nowMs: number): readonly string[] {
    const { paint } = this.#options;
    return [...this.#followed].flatMap(({ timeline, prefix }) =>
      timeline.active.map((active) =>
        renderActive({ ...active, node: prefix + active.node }, this.#nodeWidth, nowMs, spinner, paint),
      ),
    );
  }

  async #followExecution(id: string, prefix: string, onEvent: (event: TimelineEvent) => void): Promise<void> {
    const { client, prompter, screen, signal } = this.#options;
    const { workflow_id, workflow_version } = await client.execution(id, { signal });
    const { ir } = await client.workflow(workflow_id, workflow_version, { signal });
    const maxNodeWidth = Math.max(MIN_NODE_WIDTH, Math.min(MAX_NODE_WIDTH, (screen?.columns ?? 80) - OTHER_COLUMNS_WIDTH));
    for (const node of nodeIds(ir))
      this.#nodeWidth = Math.min(maxNodeWidth, Math.max(this.#nodeWidth, width(plain(prefix + node))));
    const followed: FollowedExecution = { id, prefix, timeline: new Timeline(nodeKindsOf(ir)) };
    const children: Promise<void>[] = [];
    this.#followed.add(followed);
    try {
      for await (const event of this.#events(followed.id)) {
        onEvent(event);
        this.#print(followed, event);
        prompter?.update(followed.id, followed.prefix, followed.timeline);
        const childId = event.type === 'child_workflow_started' ? event.data.child_execution_id : undefined;
        if (typeof childId !== 'string') continue;
        const child = this.#followExecution(childId, `${prefix}${event.node_id}/`, () => undefined);
        // Waited for below; until then its failure must not count as one nobody looks at.
        child.catch(() => undefined);
        children.push(child);
      }
      await Promise.all(children);
    } finally {
      this.#followed.delete(followed);
      prompter?.withdrawExecution(followed.id);
    }
  }

  /** The log to its end. A server that restarts meanwhile is waited for: executions outlive it. */
  async *#events(id: string): AsyncGenerator<TimelineEvent> {
    const { client, screen, paint, signal } = this.#options;
    let after = 0;
    for (let disconnectedAtMs: number | null = null; ; ) {
      try {
        for await (const event of client.follow(id, { after, signal })) {
          disconnectedAtMs = null;
          after = event.sequence;
          yield event;
        }
        return;
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        if (disconnectedAtMs === null) screen?.print(`  ${paint.yellow('!')} ${paint.dim(`lost ${client.url}: trying again`)}`);
        disconnectedAtMs ??= Date.now();
        if (Date.now() - disconnectedAtMs > RECONNECT_TIMEOUT_MS) throw error;
        await sleep(RETRY_MS, signal);
      }
    }
  }

  #print({ timeline, prefix }: FollowedExecution, event: TimelineEvent): void {
    const { screen, paint } = this.#options;
    for (const entry of timeline.apply(event)) {
      const node = entry.node === null ? null : prefix + entry.node;
      // What moves on a terminal need not be told twice.
      if (entry.status === 'running' && screen?.animated === true) continue;
      screen?.print(renderEntry({ ...entry, node }, this.#nodeWidth, paint));
    }
  }
}

function nodeIds(ir: JsonObject): readonly string[] {
  return Object.keys(isObject(ir.nodes) ? ir.nodes : {});
}

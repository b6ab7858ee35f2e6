import type { HistoryEvent } from '../../../machines/history/event.ts';
import { isObject, type JsonObject } from '../../../machines/json.ts';
import { type JamjetClient, Unreachable } from '../../client/index.ts';
import { type ActiveNode, nodeKindsOf, Timeline } from '../../views/timeline.ts';
import { sleep } from '../sleep.ts';
import type { Paint } from '../terminal/paint.ts';
import type { Screen } from '../terminal/screen.ts';
import { plain, width } from '../terminal/text.ts';
import { renderActive, renderEntry } from '../texts/timeline.ts';
import type { LiveAnswers } from './live-answers.ts';
import type { Prompter } from './prompter.ts';

/** Time to wait for an unreachable server. */
const RECONNECT_TIMEOUT_MS = 10_000;
const RETRY_MS = 500;
const MIN_NODE_WIDTH = 8;
const MAX_NODE_WIDTH = 32;
/** Columns of a line without the node name: glyph, time, attempt, a few words. */
const OTHER_COLUMNS_WIDTH = 36;

/** Events after which a node's model writes no more. */

export interface FollowerOptions {
  readonly client: JamjetClient;
  readonly answers: LiveAnswers;
  /** Null: print nothing. */
  readonly screen: Screen | null;
  readonly paint: Paint;
  /** Null: ask no questions. */
  readonly prompter: Prompter | null;
  readonly signal: AbortSignal;
}

/** A followed execution. The node names of a child execution are prefixed by `parent/`. */
interface FollowedExecution {
  readonly id: string;
  readonly prefix: string;
  readonly timeline: Timeline;
}

/** Prints the events of an execution and its child executions, and updates the prompter. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #followed = new Set<FollowedExecution>();
  #lastSequence = 0;
  /** Columns for node names; grows with the followed workflows. */
  #nodeWidth = MIN_NODE_WIDTH;

  constructor(following: FollowerOptions) {
    this.#options = following;
  }

  /** Sequence of the last event received, of the execution itself. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Active nodes of the execution and its children. */
  get active(): readonly ActiveNode[] {
    return [...this.#followed].flatMap(({ timeline }) => timeline.active);
  }

  /** Whether all active nodes wait for decisions of people. The execution is `running` if policies or limits hold them. */
  get awaitsDecisionsOnly(): boolean {
    return this.active.length > 0 && [...this.#followed].every(({ timeline }) => timeline.awaitsDecisionsOnly);
  }

  /** Whether a decision or an event is awaited that only comes from outside. */
  get awaitsInput(): boolean {
    return [...this.#followed].some(({ timeline }) => timeline.approvals.length > 0 || timeline.awaitedEvents.size > 0);
  }

  /** Whether a durable timer will advance the execution. */
  get hasTimer(): boolean {
    return [...this.#followed].some(({ timeline }) => timeline.hasTimer);
  }

  /**
   * Resolves when the execution has ended; rejects with the reason of the signal if that aborts first. `onEvent` receives the events of
   * the execution itself, not of its children.
   */
  async run(id: string, onEvent: (event: HistoryEvent) => void): Promise<void> {
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
    const { paint, answers } = this.#options;
    return [...this.#followed].flatMap(({ id, timeline, prefix }) =>
      timeline.active.map((active) => {
        const text = answers.of(id, active.node) ?? active.text;
        return renderActive({ ...active, node: prefix + active.node, text }, this.#nodeWidth, nowMs, spinner, paint);
      }),
    );
  }

  async #followExecution(id: string, prefix: string, onEvent: (event: HistoryEvent) => void): Promise<void> {
    const { client, prompter, screen, signal, answers } = this.#options;
    const { workflow_id, workflow_version } = await client.execution(id, { signal });
    const { ir } = await client.workflow(workflow_id, workflow_version, { signal });
    for (const node of nodeIds(ir)) this.#widenTo(prefix + node);
    const followed: FollowedExecution = { id, prefix, timeline: new Timeline(nodeKindsOf(ir)) };
    const children: Promise<void>[] = [];
    const ended = new AbortController();
    const texts = screen?.animated === true ? answers.follow(id, AbortSignal.any([signal, ended.signal])) : Promise.resolve();
    this.#followed.add(followed);
    try {
      for await (const event of this.#events(followed.id)) {
        onEvent(event);
        answers.apply(id, event);
        this.#print(followed, event);
        prompter?.update(followed.id, followed.prefix, followed.timeline);
        const childId = event.type === 'child_workflow_started' ? event.data.child_execution_id : undefined;
        if (typeof childId !== 'string') continue;
        const child = this.#followExecution(childId, `${prefix}${event.node_id}/`, () => undefined);
        // Awaited below; this prevents an unhandled rejection until then.
        child.catch(() => undefined);
        children.push(child);
      }
      await Promise.all(children);
    } finally {
      ended.abort();
      await texts;
      this.#followed.delete(followed);
      prompter?.withdrawExecution(followed.id);
    }
  }

  /** Yields the log until the execution ends, and reconnects to a server that restarts. */
  async *#events(id: string): AsyncGenerator<HistoryEvent> {
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
        if (disconnectedAtMs === null) screen?.print(`  ${paint.yellow('!')} ${paint.dim(`lost ${client.url}: reconnecting`)}`);
        disconnectedAtMs ??= Date.now();
        if (Date.now() - disconnectedAtMs > RECONNECT_TIMEOUT_MS) throw error;
        await sleep(RETRY_MS, signal);
      }
    }
  }

  /** Some nodes are not in the document: an agent has one for each of its tools. */
  #widenTo(node: string): void {
    const most = Math.max(MIN_NODE_WIDTH, Math.min(MAX_NODE_WIDTH, (this.#options.screen?.columns ?? 80) - OTHER_COLUMNS_WIDTH));
    this.#nodeWidth = Math.min(most, Math.max(this.#nodeWidth, width(plain(node))));
  }

  #print({ timeline, prefix }: FollowedExecution, event: HistoryEvent): void {
    const { screen, paint } = this.#options;
    for (const entry of timeline.apply(event)) {
      const node = entry.node === null ? null : prefix + entry.node;
      if (node !== null) this.#widenTo(node);
      // The animated part of the screen shows running nodes already.
      if (entry.status === 'running' && screen?.animated === true) continue;
      screen?.print(renderEntry({ ...entry, node }, this.#nodeWidth, paint));
    }
  }
}

function nodeIds(ir: JsonObject): readonly string[] {
  return Object.keys(isObject(ir.nodes) ? ir.nodes : {});
}

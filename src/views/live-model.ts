import type { HistoryEvent } from '../../machines/history/event.ts';
import { History } from '../../machines/history/history.ts';
import type { NodeVisit } from '../../machines/history/node-visit.ts';
import { type NodeVisits, OPEN } from '../../machines/history/node-visits.ts';
import type { JsonObject } from '../../machines/json.ts';
import { drawnWorkflow } from '../../machines/views/drawn-workflow.ts';
import type { ExecutionOverlay, NodeOverlay, NodeStatus } from '../../machines/views/execution-overlay.ts';
import { OverlayBuilder } from '../../machines/views/overlay-builder.ts';
import { type OutlineRow, outlineOf } from './outline.ts';
import { type ActiveNode, nodeKindsOf, type TimedEntry, Timeline } from './timeline.ts';

export type { NodeOverlay };

/** Limits of the kept history, because an execution may run for weeks. */
const MAX_ENTRIES = 200;
const MAX_VISITS = { visits: 5, attempts: 20 };
const FAILED: ReadonlySet<NodeStatus> = new Set(['failed']);

/** A pending approval. */
export interface PendingApproval {
  readonly node: string;
  /** The description written by the author of the workflow. */
  readonly question: string;
}

/** Reduces the events of an execution, from the first, to the content of a live view. */
export class LiveModel {
  readonly rows: readonly OutlineRow[];
  readonly #history = new History(MAX_VISITS);
  readonly #builder: OverlayBuilder;
  readonly #timeline: Timeline;
  readonly #entries: TimedEntry[] = [];
  #overlay: ExecutionOverlay | null = null;

  /** Throws `InvalidWorkflow`. */
  constructor(document: JsonObject) {
    const workflow = drawnWorkflow(document);
    this.rows = outlineOf(workflow);
    this.#builder = new OverlayBuilder(workflow, this.#history);
    this.#timeline = new Timeline(nodeKindsOf(document), this.#history);
  }

  apply(event: HistoryEvent): void {
    this.#builder.apply(event);
    this.#overlay = null;
    this.#entries.push(...this.#timeline.apply(event));
    if (this.#entries.length > 2 * MAX_ENTRIES) this.#entries.splice(0, this.#entries.length - MAX_ENTRIES);
  }

  get overlay(): ExecutionOverlay {
    this.#overlay ??= this.#builder.overlay;
    return this.#overlay;
  }

  overlayOf(node: string): NodeOverlay | null {
    return this.overlay.nodes.get(node) ?? null;
  }

  get status(): string {
    return this.overlay.status;
  }

  get ended(): boolean {
    return this.#history.end !== null;
  }

  get suspended(): boolean {
    return this.#history.pauseReason !== null;
  }

  /** Reason given by the operator; '' = none. */
  get suspendedReason(): string {
    return this.#history.pauseReason ?? '';
  }

  /** The error of a failed execution; '' otherwise. */
  get error(): string {
    return this.#history.error ?? '';
  }

  /** Oldest first. */
  get entries(): readonly TimedEntry[] {
    return this.#entries;
  }

  /** Oldest first. */
  get approvals(): readonly PendingApproval[] {
    return this.#timeline.approvals.map(({ node }) => ({ node, question: this.#visits(node)?.now?.visit.question ?? '' }));
  }

  /** Correlation keys of awaited external events by node. */
  get awaitedEvents(): ReadonlyMap<string, string> {
    return this.#timeline.awaitedEvents;
  }

  get active(): ReadonlyMap<string, ActiveNode> {
    return new Map(this.#timeline.active.map((each) => [each.node, each]));
  }

  /** Index of the row that is shown by default: one that waits for a person or an event, else an active one, else a failed one. */
  get defaultRow(): number {
    const waiting = this.approvals[0]?.node ?? [...this.awaitedEvents.keys()][0];
    const asked = this.rows.findIndex((row) => row.node === waiting);
    if (asked !== -1) return asked;
    const first = (statuses: ReadonlySet<NodeStatus>) =>
      this.rows.findIndex(({ node }) => {
        const status = this.overlayOf(node)?.status;
        return status !== undefined && statuses.has(status);
      });
    return Math.max(0, first(OPEN), this.ended ? first(FAILED) : 0);
  }

  /** Start of the next attempt; null = no retry is scheduled. */
  retryAtMs(node: string): number | null {
    const now = this.#visits(node)?.now;
    const at = now?.status === 'retrying' ? now.visit.attempts.at(-1)?.next_attempt_at : undefined;
    return at === undefined ? null : Date.parse(at);
  }

  /** The last visits to a node, oldest first. */
  visitsOf(node: string): readonly NodeVisit[] {
    return this.#visits(node)?.all(this.ended) ?? [];
  }

  #visits(node: string): NodeVisits | undefined {
    return this.#history.visitsOf(node);
  }
}

import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { NodeVisit } from './node-visit.ts';
import { NodeVisits } from './node-visits.ts';
import type { ExecutionOverlay, LiveOutline, NodeOverlay, OutlineRow } from './outline.ts';
import { type ActiveNode, nodeKindsOf, type TimedEntry, Timeline, type TimelineEvent } from './timeline.ts';

/** Limits of the kept history, because an execution may run for weeks. */
const MAX_ENTRIES = 200;
const MAX_ATTEMPTS = 50;
const MAX_VISITS = { visits: 5, attempts: 20 };

export interface LoggedEntry {
  readonly sequence: number;
  readonly atMs: number;
  readonly entry: TimedEntry;
}

/** A pending approval. */
export interface PendingApproval {
  readonly node: string;
  /** The description written by the author of the workflow. */
  readonly question: string;
  readonly sinceMs: number;
}

/** An ended attempt. */
export interface AttemptResult {
  readonly sequence: number;
  readonly atMs: number;
  readonly ok: boolean;
  readonly durationMs: number | null;
  /** The error of a failed attempt; '' otherwise. */
  readonly error: string;
}

/** The history of a node. */
export interface NodeHistory {
  /** Oldest first. */
  readonly attempts: readonly AttemptResult[];
  /** Output of the last completed visit; undefined = none. */
  readonly output: Json | undefined;
  /** Its last visits, oldest first. */
  readonly visits: readonly NodeVisit[];
}

const FAILED_STATUSES: ReadonlySet<string> = new Set(['failed']);
const ACTIVE_STATUSES: ReadonlySet<string> = new Set(['queued', 'active', 'waiting', 'held', 'retrying']);

/** Begins the error of an execution that failed because of its nodes alone; their names follow. */
const FAILED_NODES = 'node(s) failed terminally: ';
const EMPTY_HISTORY: NodeHistory = { attempts: [], output: undefined, visits: [] };

/** Reduces the events of an execution, from the first, to the content of a live view. */
export class LiveModel {
  readonly rows: readonly OutlineRow[];
  readonly #outline: LiveOutline;
  readonly #timeline: Timeline;
  readonly #entries: LoggedEntry[] = [];
  readonly #approvals = new Map<string, PendingApproval>();
  readonly #history = new Map<string, NodeHistory>();
  readonly #visits = new Map<string, NodeVisits>();
  readonly #retryAtMs = new Map<string, number>();
  readonly #behaviours: ReadonlyMap<string, OutlineRow['behaviour']>;
  readonly #startedAtMs = new Map<string, number>();
  #overlay: ExecutionOverlay | null = null;
  #suspendedReason = '';
  #error = '';

  constructor(ir: JsonObject, outline: LiveOutline) {
    this.rows = outline.rows;
    this.#behaviours = new Map(outline.rows.map(({ node, behaviour }) => [node, behaviour]));
    this.#outline = outline;
    this.#timeline = new Timeline(nodeKindsOf(ir));
  }

  apply(event: TimelineEvent): void {
    this.#outline.apply(event);
    this.#overlay = null;
    const atMs = Date.parse(event.created_at);
    for (const entry of this.#timeline.apply(event)) this.#entries.push({ sequence: event.sequence, atMs, entry });
    if (this.#entries.length > 2 * MAX_ENTRIES) this.#entries.splice(0, this.#entries.length - MAX_ENTRIES);
    if (event.node_id === null) this.#applyWorkflowEvent(event);
    else {
      let visits = this.#visits.get(event.node_id);
      if (visits === undefined) {
        visits = new NodeVisits(event.node_id, MAX_VISITS);
        this.#visits.set(event.node_id, visits);
      }
      visits.apply(event);
      this.#applyNodeEvent(event.node_id, event, atMs);
    }
  }

  get overlay(): ExecutionOverlay {
    this.#overlay ??= this.#outline.overlay;
    return this.#overlay;
  }

  overlayOf(node: string): NodeOverlay | null {
    return this.overlay.nodes.get(node) ?? null;
  }

  get status(): string {
    return this.overlay.status;
  }

  get ended(): boolean {
    return this.overlay.status !== 'running' && this.overlay.status !== 'paused';
  }

  get suspended(): boolean {
    return this.overlay.suspended;
  }

  /** Reason given by the operator; '' = none. */
  get suspendedReason(): string {
    return this.#suspendedReason;
  }

  /** The error of a failed execution; '' otherwise. */
  get error(): string {
    return this.#error;
  }

  /** Oldest first. */
  get entries(): readonly LoggedEntry[] {
    return this.#entries;
  }

  /** Oldest first. */
  get approvals(): readonly PendingApproval[] {
    return this.ended ? [] : [...this.#approvals.values()];
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
    const asked = waiting === undefined ? -1 : this.rows.findIndex((row) => row.node === waiting);
    if (asked !== -1) return asked;
    const { nodes } = this.overlay;
    const is = (statuses: ReadonlySet<string>) => this.rows.findIndex((row) => statuses.has(nodes.get(row.node)?.status ?? ''));
    return Math.max(0, is(ACTIVE_STATUSES), this.ended ? is(FAILED_STATUSES) : 0);
  }

  /** Start of the next attempt; null = no retry is scheduled. */
  retryAtMs(node: string): number | null {
    return this.#retryAtMs.get(node) ?? null;
  }

  historyOf(node: string): NodeHistory {
    const visits = this.#visits.get(node)?.all(this.ended) ?? [];
    return { ...(this.#history.get(node) ?? EMPTY_HISTORY), visits };
  }

  #applyWorkflowEvent({ type, data }: TimelineEvent): void {
    if (type === 'workflow_paused') this.#suspendedReason = textOf(data.reason);
    else if (type === 'workflow_failed') this.#error = this.#withErrorsOfNodes(textOf(data.error));
    else if (type === 'workflow_retried') this.#error = '';
    if (/^workflow_(completed|failed|cancelled)$|^strategy_limit_hit$|^segment_boundary$/.test(type)) this.#approvals.clear();
  }

  /** The errors of the nodes that an execution failed with, in place of their names, as the API gives its `error`. */
  #withErrorsOfNodes(error: string): string {
    if (!error.startsWith(FAILED_NODES)) return error;
    const nodes = error.slice(FAILED_NODES.length).split(', ');
    const errors = nodes.flatMap((node) => {
      const last = this.#history.get(node)?.attempts.at(-1)?.error ?? '';
      return last === '' ? [] : [`${node}: ${last}`];
    });
    return errors.length === 0 ? error : errors.join('; ');
  }

  #applyNodeEvent(node: string, { type, data, sequence }: TimelineEvent, atMs: number): void {
    switch (type) {
      case 'interrupt_raised':
        this.#approvals.set(node, { node, question: textOf(data.description), sinceMs: atMs });
        break;
      case 'tool_approval_required': {
        const asked = isObject(data.context) ? textOf(data.context.description) : '';
        const question = asked === '' ? `Run ${textOf(data.tool_name)}?` : asked;
        this.#approvals.set(node, { node, question, sinceMs: atMs });
        break;
      }
      case 'approval_received':
        this.#approvals.delete(node);
        break;
      case 'retry_scheduled':
      case 'node_parked':
        this.#retryAtMs.set(node, atMs + (typeof data.delay_ms === 'number' ? data.delay_ms : 0));
        break;
      case 'node_completed':
        this.#recordAttempt(
          node,
          { sequence, atMs, ok: true, durationMs: this.#durationMs(node, data, atMs), error: '' },
          data.output ?? null,
        );
        break;
      case 'node_failed':
        this.#recordAttempt(
          node,
          { sequence, atMs, ok: false, durationMs: this.#durationMs(node, data, atMs), error: textOf(data.error) },
          undefined,
        );
        break;
      case 'node_cancelled':
      case 'node_skipped':
        this.#approvals.delete(node);
        break;
    }
    if (type === 'node_started') this.#startedAtMs.set(node, atMs);
    if (type === 'node_started' || type === 'node_scheduled') this.#retryAtMs.delete(node);
  }

  /** The measured time of work, or the time since a wait was reached; null for control nodes. */
  #durationMs(node: string, data: JsonObject, atMs: number): number | null {
    const behaviour = this.#behaviours.get(node);
    if (behaviour === 'control') return null;
    const sinceMs = this.#startedAtMs.get(node);
    if (behaviour !== undefined && behaviour !== 'work') return sinceMs === undefined ? null : atMs - sinceMs;
    return typeof data.duration_ms === 'number' ? data.duration_ms : null;
  }

  #recordAttempt(node: string, attempt: AttemptResult, output: Json | undefined): void {
    const { attempts, output: before } = this.#history.get(node) ?? EMPTY_HISTORY;
    this.#history.set(node, {
      visits: [],
      attempts: [...attempts.slice(1 - MAX_ATTEMPTS), attempt],
      output: output === undefined ? before : output,
    });
    this.#approvals.delete(node);
    this.#retryAtMs.delete(node);
  }
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { LiveOutline, Marks, NodeMark, OutlineRow } from '../../pictures/outline.ts';
import { type Active, type Entry, kindsOf, Timeline, type TimelineEvent } from '../timeline.ts';

/** What is kept of the past: a screen shows less, and an execution may run for weeks. */
const MAX_HAPPENED = 200;
const MAX_ATTEMPTS = 50;

export interface Happened {
  readonly sequence: number;
  readonly atMs: number;
  readonly entry: Entry;
}

/** A decision that somebody has to take. */
export interface PendingApproval {
  readonly node: string;
  /** What is asked, in the author's words. */
  readonly question: string;
  readonly sinceMs: number;
}

/** An attempt at a node that has ended. */
export interface Attempt {
  readonly sequence: number;
  readonly atMs: number;
  readonly ok: boolean;
  readonly tookMs: number | null;
  /** Of a failed one; '' otherwise. */
  readonly error: string;
}

/** Of a node, beside what the outline says. */
export interface NodePast {
  /** The newest last. */
  readonly attempts: readonly Attempt[];
  /** Of its last visit that completed; undefined = none has. */
  readonly output: Json | undefined;
}

const FAILED: ReadonlySet<string> = new Set(['failed']);
const UNDER_WAY: ReadonlySet<string> = new Set(['queued', 'active', 'waiting', 'held', 'retrying']);

const PARKED: ReadonlySet<string> = new Set(['human_approval', 'wait', 'subgraph']);

const NO_PAST: NodePast = { attempts: [], output: undefined };

/** An execution as it is watched: folds its events, from the first on, into what the screen shows. */
export class LiveModel {
  readonly rows: readonly OutlineRow[];
  readonly #outline: LiveOutline;
  readonly #timeline: Timeline;
  readonly #happened: Happened[] = [];
  readonly #approvals = new Map<string, PendingApproval>();
  readonly #past = new Map<string, NodePast>();
  readonly #retryAtMs = new Map<string, number>();
  readonly #kinds: ReadonlyMap<string, OutlineRow['kind']>;
  readonly #startedMs = new Map<string, number>();
  #marks: Marks | null = null;
  #heldReason = '';
  #error = '';

  constructor(ir: JsonObject, outline: LiveOutline) {
    this.rows = outline.rows;
    this.#kinds = new Map(outline.rows.map(({ node, kind }) => [node, kind]));
    this.#outline = outline;
    this.#timeline = new Timeline(kindsOf(ir));
  }

  apply(event: TimelineEvent): void {
    this.#outline.apply(event);
    this.#marks = null;
    const atMs = Date.parse(event.created_at);
    for (const entry of this.#timeline.apply(event)) this.#happened.push({ sequence: event.sequence, atMs, entry });
    if (this.#happened.length > 2 * MAX_HAPPENED) this.#happened.splice(0, this.#happened.length - MAX_HAPPENED);
    if (event.node_id === null) this.#whole(event);
    else this.#node(event.node_id, event, atMs);
  }

  get marks(): Marks {
    this.#marks ??= this.#outline.marks;
    return this.#marks;
  }

  markOf(node: string): NodeMark | null {
    return this.marks.nodes.get(node) ?? null;
  }

  get status(): string {
    return this.marks.status;
  }

  get over(): boolean {
    return this.marks.status !== 'running' && this.marks.status !== 'paused';
  }

  get held(): boolean {
    return this.marks.held;
  }

  /** Of the operator who paused it; '' = none was given. */
  get heldReason(): string {
    return this.#heldReason;
  }

  /** Why it has failed; '' = it has not. */
  get error(): string {
    return this.#error;
  }

  /** The newest last. */
  get happened(): readonly Happened[] {
    return this.#happened;
  }

  /** The longest waiting first. */
  get approvals(): readonly PendingApproval[] {
    return this.over ? [] : [...this.#approvals.values()];
  }

  /** Key of the external event that a node waits for, by node. */
  get awaited(): ReadonlyMap<string, string> {
    return this.#timeline.awaited;
  }

  get active(): ReadonlyMap<string, Active> {
    return new Map(this.#timeline.active.map((each) => [each.node, each]));
  }

  /** Index of the row to look at when nobody chooses: what waits for a person or an event, else what is under way, else what failed. */
  get current(): number {
    const waiting = this.approvals[0]?.node ?? [...this.awaited.keys()][0];
    const asked = waiting === undefined ? -1 : this.rows.findIndex((row) => row.node === waiting);
    if (asked !== -1) return asked;
    const { nodes } = this.marks;
    const is = (statuses: ReadonlySet<string>) => this.rows.findIndex((row) => statuses.has(nodes.get(row.node)?.status ?? ''));
    return Math.max(0, is(UNDER_WAY), this.over ? is(FAILED) : 0);
  }

  /** When its next attempt begins; null = no retry is due. */
  retryAtMs(node: string): number | null {
    return this.#retryAtMs.get(node) ?? null;
  }

  pastOf(node: string): NodePast {
    return this.#past.get(node) ?? NO_PAST;
  }

  #whole({ type, data }: TimelineEvent): void {
    if (type === 'workflow_paused') this.#heldReason = textOf(data.reason);
    else if (type === 'workflow_failed') this.#error = textOf(data.error);
    else if (type === 'workflow_retried') this.#error = '';
    if (/^workflow_(completed|failed|cancelled)$|^strategy_limit_hit$/.test(type)) this.#approvals.clear();
  }

  #node(node: string, { type, data, sequence }: TimelineEvent, atMs: number): void {
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
        this.#retryAtMs.set(node, atMs + (typeof data.delay_ms === 'number' ? data.delay_ms : 0));
        break;
      case 'node_completed':
        this.#ended(node, { sequence, atMs, ok: true, tookMs: this.#tookMs(node, data, atMs), error: '' }, data.output ?? null);
        break;
      case 'node_failed':
        this.#ended(
          node,
          { sequence, atMs, ok: false, tookMs: this.#tookMs(node, data, atMs), error: textOf(data.error) },
          undefined,
        );
        break;
      case 'node_cancelled':
      case 'node_skipped':
        this.#approvals.delete(node);
        break;
    }
    if (type === 'node_started') this.#startedMs.set(node, atMs);
    if (type === 'node_started' || type === 'node_scheduled') this.#retryAtMs.delete(node);
  }

  /** Of work as it was measured; of a wait since it was reached; what decides and joins takes no time. */
  #tookMs(node: string, data: JsonObject, atMs: number): number | null {
    const kind = this.#kinds.get(node);
    if (kind === 'condition' || kind === 'parallel') return null;
    const sinceMs = this.#startedMs.get(node);
    if (kind !== undefined && PARKED.has(kind)) return sinceMs === undefined ? null : atMs - sinceMs;
    if (kind === 'join' && data.duration_ms === 0) return null;
    return typeof data.duration_ms === 'number' ? data.duration_ms : null;
  }

  #ended(node: string, attempt: Attempt, output: Json | undefined): void {
    const { attempts, output: before } = this.pastOf(node);
    this.#past.set(node, {
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

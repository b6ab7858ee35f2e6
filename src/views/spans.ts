import { type HistoryEvent, textOf } from '../../machines/history/event.ts';
import { endStatusOf, History } from '../../machines/history/history.ts';
import type { NodeAttempt, NodeVisit } from '../../machines/history/node-visit.ts';
import { OPEN } from '../../machines/history/node-visits.ts';
import { executionNote, type NodeKinds } from './timeline.ts';

/**
 * What a node does during a span: `queued` for a slot or a worker; `held` by a policy until a person approves; `child`: its child execution
 * runs, or is paused (`child_paused`); `timer`: waits for a time; `skipped`: a moment at which it was decided that it does not run.
 */
export type SpanKind =
  | 'queued'
  | 'running'
  | 'retry_wait'
  | 'held'
  | 'waiting_approval'
  | 'waiting_event'
  | 'timer'
  | 'child'
  | 'child_paused'
  | 'skipped';

/** How the attempt ended with the span. `failed`: also if another attempt follows. */
export type SpanOutcome = 'done' | 'failed' | 'cancelled' | 'skipped';

/** A time in which a node did one thing: a bar of a Gantt chart. */
export interface Span {
  readonly node: string;
  readonly activation: number;
  /** 0-based. Of `retry_wait`: that of the attempt that has failed. */
  readonly attempt: number;
  readonly kind: SpanKind;
  /** Sequence of the event with which it began. */
  readonly sequence: number;
  readonly startMs: number;
  /** Null = it lasts. */
  readonly endMs: number | null;
  /** When it is to end, for waits that a time ends; null = not known. */
  readonly untilMs: number | null;
  /** Null while it lasts, and if the same visit went on with another span. */
  readonly outcome: SpanOutcome | null;
  /** Milliseconds that the attempt took, as `NodeAttempt.duration_ms`; null unless the attempt ended with this span. */
  readonly durationMs: number | null;
  /** Of a failed attempt. */
  readonly error?: string;
  readonly child_execution_id?: string;
}

/** The spans of one node, in the order in which they began. */
export interface SpanRow {
  readonly node: string;
  readonly spans: readonly Span[];
  /** Visits that have begun. */
  readonly visits: number;
  /** Number of spans that were left out, the oldest. */
  readonly omitted: number;
  /** Grows with every change of the row. */
  readonly version: number;
}

export type MarkKind =
  | 'started'
  | 'decision'
  | 'external_event'
  | 'paused'
  | 'resumed'
  | 'retried'
  | 'forked'
  | 'finalizing'
  | 'policy'
  | 'timer'
  | 'ended';

/** A moment on the time axis. */
export interface SpanMark {
  readonly sequence: number;
  readonly atMs: number;
  readonly kind: MarkKind;
  /** Null = it concerns the execution as a whole. */
  readonly node: string | null;
  readonly text: string;
}

export interface SpanLimits {
  /** Spans kept of each node, and marks kept in all: the latest. */
  readonly spans: number;
  readonly marks: number;
}

const LIMITS: SpanLimits = { spans: 5_000, marks: 5_000 };

type SpanDraft = { -readonly [K in keyof Span]: Span[K] };
interface RowDraft extends SpanRow {
  spans: SpanDraft[];
  visits: number;
  omitted: number;
  version: number;
}

/** A visit that has not ended, with its last span. */
interface OpenVisit {
  readonly visit: NodeVisit;
  readonly row: RowDraft;
  span: SpanDraft | null;
}

const MARKS: Readonly<Partial<Record<string, MarkKind>>> = {
  workflow_started: 'started',
  workflow_begun: 'started',
  approval_received: 'decision',
  external_event_received: 'external_event',
  workflow_paused: 'paused',
  workflow_resumed: 'resumed',
  workflow_retried: 'retried',
  workflow_forked: 'forked',
  workflow_finalizing: 'finalizing',
  policy_violation: 'policy',
  timer_fired: 'timer',
};

const ENDS: Readonly<Partial<Record<string, SpanOutcome>>> = {
  node_completed: 'done',
  node_failed: 'failed',
  node_cancelled: 'cancelled',
  node_skipped: 'skipped',
};

/**
 * Reduces the log of an execution, from its first event on, to what a timeline on a time axis shows. An event costs the same however long the
 * log is. What a node does is decided by its visits; this says since when.
 *
 * @example
 * const spans = new Spans(nodeKindsOf(ir));
 * for await (const event of client.live.execution(id)) {
 *   spans.apply(event);
 *   redraw(spans.rows, spans.takeChanged());
 * }
 */
export class Spans {
  readonly #kinds: NodeKinds;
  readonly #limits: SpanLimits;
  readonly #history: History;
  readonly #rows = new Map<string, RowDraft>();
  readonly #open = new Map<NodeVisit, OpenVisit>();
  readonly #marks: SpanMark[] = [];
  #order: readonly SpanRow[] = [];
  #changed = new Set<string>();
  #startMs: number | null = null;
  #lastMs: number | null = null;
  #endMs: number | null = null;

  constructor(kinds: NodeKinds, history = new History(), limits: SpanLimits = LIMITS) {
    this.#kinds = kinds;
    this.#history = history;
    this.#limits = limits;
  }

  /** In the order in which the nodes began first. The array is another one when a row is added; rows change in place. */
  get rows(): readonly SpanRow[] {
    return this.#order;
  }

  rowOf(node: string): SpanRow | null {
    return this.#rows.get(node) ?? null;
  }

  /** Oldest first. */
  get marks(): readonly SpanMark[] {
    return this.#marks;
  }

  /** Time of the first event; null = there is none. */
  get startMs(): number | null {
    return this.#startMs;
  }

  /** Time of the last event. */
  get lastMs(): number | null {
    return this.#lastMs;
  }

  /** Null = the execution has not ended. */
  get endMs(): number | null {
    return this.#endMs;
  }

  /** The nodes whose rows have changed since the last call. */
  takeChanged(): ReadonlySet<string> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  apply(event: HistoryEvent): void {
    const { node_id: node, type } = event;
    const visit = this.#history.apply(event);
    // Clocks of several processes may differ: time does not go back.
    const atMs = Math.max(Date.parse(event.created_at), this.#lastMs ?? Number.NEGATIVE_INFINITY);
    this.#startMs ??= atMs;
    if (node === null) this.#executionEvent(type, atMs, event.sequence);
    else this.#nodeEvent(node, visit, event, atMs);
    this.#lastMs = atMs;
    const mark = endStatusOf(type) === null ? MARKS[type] : 'ended';
    if (mark !== undefined) this.#mark(mark, event, atMs);
  }

  #executionEvent(type: string, atMs: number, sequence: number): void {
    if (endStatusOf(type) !== null) {
      this.#endMs = atMs;
      for (const { row, span } of this.#open.values()) if (span !== null) this.#close(row, span, atMs, 'cancelled', null);
      return;
    }
    if (type === 'workflow_retried') this.#endMs = null;
    else if (type !== 'workflow_forked') return;
    // What was in progress goes on; in a fork, from its beginning on and not since the time of the origin.
    const beforeMs = this.#lastMs ?? atMs;
    for (const open of this.#open.values()) {
      const { span, row } = open;
      if (span === null) continue;
      if (span.endMs === null) this.#close(row, span, beforeMs, null, null);
      open.span = this.#begin(row, { ...span, ...UNENDED, sequence, startMs: atMs });
    }
  }

  #nodeEvent(node: string, visit: NodeVisit | null, event: HistoryEvent, atMs: number): void {
    if (visit === null) return;
    const row = this.#rowFor(node);
    row.visits = this.#history.visitsOf(node)?.total ?? 0;
    const open = this.#open.get(visit) ?? { visit, row, span: null };
    const outcome = ENDS[event.type];
    // The end of an item does not end the visit.
    if (outcome !== undefined && event.data.item === undefined) this.#end(open, outcome, event, atMs);
    const kind = this.#kindOf(visit, node);
    if (kind === null) this.#open.delete(visit);
    else {
      this.#open.set(visit, open);
      this.#continue(open, kind, event, atMs);
    }
    row.version += 1;
    this.#changed.add(node);
  }

  /** The attempt ends: with the span that lasts, or, if it never began, with a moment of its own. */
  #end(open: OpenVisit, outcome: SpanOutcome, event: HistoryEvent, atMs: number): void {
    const { visit, row } = open;
    const attempt = visit.attempts.at(-1);
    const hasEnded = outcome === 'done' || outcome === 'failed';
    const isOfAttempt = open.span?.endMs === null && (!hasEnded || open.span.kind !== 'retry_wait');
    const last = isOfAttempt ? open.span : null;
    const sinceMs = hasEnded && last === null ? Date.parse(attempt?.started_at ?? attempt?.queued_at ?? '') : Number.NaN;
    if (open.span !== null && last === null && open.span.endMs === null) this.#close(row, open.span, atMs, null, null);
    const span =
      last ??
      this.#begin(row, {
        ...UNENDED,
        node: row.node,
        activation: visit.activation,
        attempt: attempt?.attempt ?? 0,
        kind: outcome === 'skipped' ? 'skipped' : 'running',
        sequence: event.sequence,
        startMs: Number.isNaN(sinceMs) ? atMs : Math.min(sinceMs, atMs),
      });
    this.#close(row, span, atMs, outcome, hasEnded ? (attempt ?? null) : null);
    open.span = span;
  }

  /** Goes on with the span that lasts if the visit does the same as before. */
  #continue(open: OpenVisit, kind: SpanKind, event: HistoryEvent, atMs: number): void {
    const { visit, row } = open;
    const attempt = visit.attempts.at(-1);
    const number = attempt?.attempt ?? 0;
    const last = open.span;
    if (last === null || last.endMs !== null || last.kind !== kind || last.attempt !== number) {
      if (last?.endMs === null) this.#leave(row, last, atMs);
      const place = { node: row.node, activation: visit.activation, attempt: number, kind };
      open.span = this.#begin(row, { ...UNENDED, ...place, sequence: event.sequence, startMs: atMs });
    }
    const span = open.span;
    if (span === null) return;
    const untilMs = untilOf(event, attempt);
    if (untilMs !== null) span.untilMs = untilMs;
    if (attempt?.child_execution_id !== undefined) span.child_execution_id = attempt.child_execution_id;
  }

  /** Null = the visit has ended. */
  #kindOf({ status, activation, attempts, question }: NodeVisit, node: string): SpanKind | null {
    if (!OPEN.has(status)) return null;
    if (status === 'retrying') return 'retry_wait';
    if (status === 'queued' || status === 'held') return status;
    const hasChild = attempts.at(-1)?.child_execution_id !== undefined;
    if (status === 'active') return hasChild ? 'child' : 'running';
    if (hasChild) return 'child_paused';
    if (question !== undefined) return 'waiting_approval';
    return activation !== 0 && this.#kinds.awaitedKey(node) !== null ? 'waiting_event' : 'timer';
  }

  #begin(row: RowDraft, span: SpanDraft): SpanDraft {
    row.spans.push(span);
    // Twice as many are kept for a time, so that an event costs the same on average.
    if (row.spans.length > 2 * this.#limits.spans) {
      const removed = row.spans.length - this.#limits.spans;
      row.spans.splice(0, removed);
      row.omitted += removed;
    }
    return span;
  }

  /** The visit goes on with something else. What took no time is left out. */
  #leave(row: RowDraft, span: SpanDraft, atMs: number): void {
    if (span.startMs === atMs && row.spans.at(-1) === span) row.spans.pop();
    else this.#close(row, span, atMs, null, null);
  }

  #close(row: RowDraft, span: SpanDraft, atMs: number, outcome: SpanOutcome | null, attempt: NodeAttempt | null): void {
    if (span.endMs !== null) return;
    span.endMs = Math.max(span.startMs, atMs);
    span.outcome = outcome;
    if (attempt !== null) span.durationMs = attempt.duration_ms;
    if (attempt?.error !== undefined) span.error = attempt.error;
    row.version += 1;
    this.#changed.add(row.node);
  }

  #rowFor(node: string): RowDraft {
    const known = this.#rows.get(node);
    if (known !== undefined) return known;
    const row: RowDraft = { node, spans: [], visits: 0, omitted: 0, version: 0 };
    this.#rows.set(node, row);
    this.#order = [...this.#order, row];
    return row;
  }

  #mark(kind: MarkKind, event: HistoryEvent, atMs: number): void {
    const text = executionNote(event.type, event.data) ?? textOfMark(event);
    this.#marks.push({ sequence: event.sequence, atMs, kind, node: event.node_id, text });
    if (this.#marks.length > 2 * this.#limits.marks) this.#marks.splice(0, this.#marks.length - this.#limits.marks);
  }
}

const UNENDED = { endMs: null, untilMs: null, outcome: null, durationMs: null } as const;

/** When what the event begins is to end. */
function untilOf({ type, data }: HistoryEvent, attempt: NodeAttempt | undefined): number | null {
  if (type === 'timer_created' && typeof data.fire_at === 'string') return Date.parse(data.fire_at);
  if ((type === 'retry_scheduled' || type === 'node_parked') && attempt?.next_attempt_at !== undefined)
    return Date.parse(attempt.next_attempt_at);
  return null;
}

function textOfMark({ type, data, on_behalf_of }: HistoryEvent): string {
  switch (type) {
    case 'approval_received': {
      const comment = textOf(data.comment) === '' ? '' : `: ${textOf(data.comment)}`;
      return `${textOf(data.decision)} by ${on_behalf_of ?? textOf(data.user_id)}${comment}`;
    }
    case 'policy_violation':
      return `${data.decision === 'warned' ? 'violates' : 'blocked by'} a policy: ${textOf(data.rule)}`;
    case 'workflow_failed':
      return `failed: ${textOf(data.error)}`;
    case 'strategy_limit_hit':
      return 'limit exceeded';
    default:
      return type.replace(/^workflow_/, '').replaceAll('_', ' ');
  }
}

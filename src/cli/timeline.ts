import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { Paint } from './terminal/paint.ts';
import { cut, inline, pad, plain } from './terminal/text.ts';
import { duration } from './terminal/time.ts';

/** An event as the API gives it; `data` holds the fields of its type. */
export interface TimelineEvent {
  readonly sequence: number;
  readonly type: string;
  readonly node_id: string | null;
  readonly created_at: string;
  readonly data: JsonObject;
}

export type Mark = 'running' | 'done' | 'failed' | 'retry' | 'waiting' | 'skipped' | 'cancelled' | 'note';

/** Something that happened, as one line for a person. */
export interface Entry {
  readonly mark: Mark;
  readonly node: string | null;
  readonly tookMs: number | null;
  /** 0-based, as on the wire; null for nodes that make no attempts (control nodes, waits). */
  readonly attempt: number | null;
  readonly text: string;
}

/** A node under way, for the part of the screen that moves. */
export interface Active {
  readonly node: string;
  readonly sinceMs: number;
  readonly attempt: number | null;
  readonly mark: 'running' | 'waiting' | 'retry';
  readonly text: string;
}

/** An approval that waits for its decision. */
export interface OpenApproval {
  readonly node: string;
  readonly kind: 'human_approval' | 'tool';
}

/** Folds an event log into lines and into what is under way. Unknown event types are ignored: a newer server may write more. */
export class Timeline {
  readonly #active = new Map<string, Active>();
  readonly #approvals = new Map<string, OpenApproval>();
  readonly #decisions = new Map<string, string>();

  /** Nodes under way, in the order in which they began. */
  get active(): readonly Active[] {
    return [...this.#active.values()];
  }

  get approvals(): readonly OpenApproval[] {
    return [...this.#approvals.values()];
  }

  /** What a wait for an external event waits for: its key by node id. */
  readonly awaited = new Map<string, string>();

  /** Nodes that a durable timer will move on by itself. */
  readonly timed = new Set<string>();

  apply(event: TimelineEvent): readonly Entry[] {
    const { type, node_id: node, data } = event;
    const atMs = Date.parse(event.created_at);
    if (node === null) return this.#applyWhole(type, data);
    switch (type) {
      case 'node_scheduled':
        return this.#begin(node, atMs, numberOf(data.attempt), 'running', 'queued', []);
      case 'node_started':
        return this.#start(node, atMs, data);
      case 'node_completed':
        return this.#end(node, atMs, 'done', data, this.#take(node));
      case 'node_failed':
        return this.#end(node, atMs, 'failed', data, textOf(data.error));
      case 'node_skipped':
        return this.#end(node, atMs, 'skipped', {}, `skipped: ${textOf(data.reason) || 'branch not taken'}`);
      case 'node_cancelled':
        return this.#end(node, atMs, 'cancelled', {}, 'cancelled');
      case 'retry_scheduled':
        return this.#retry(node, atMs, data);
      case 'interrupt_raised':
        this.#approvals.set(node, { node, kind: 'human_approval' });
        return this.#wait(node, atMs, 'waiting for approval');
      case 'tool_approval_required':
        this.#approvals.set(node, { node, kind: 'tool' });
        return this.#wait(node, atMs, `waiting for approval of ${textOf(data.tool_name)}`);
      case 'approval_received':
        return this.#decide(node, data);
      case 'timer_created':
        return this.#timer(node, atMs, data);
      case 'child_workflow_started':
        return this.#wait(node, atMs, `runs ${textOf(data.child_workflow_id)} as ${textOf(data.child_execution_id)}`);
      case 'child_workflow_failed':
        return [note(node, `child failed: ${textOf(data.error)}`)];
      case 'policy_violation':
        return [{ mark: 'failed', node, tookMs: null, attempt: null, text: `blocked by policy: ${textOf(data.rule)}` }];
      case 'token_budget_exceeded':
      case 'cost_budget_exceeded':
        return [note(node, type.replaceAll('_', ' '))];
      default:
        return [];
    }
  }

  #applyWhole(type: string, data: JsonObject): readonly Entry[] {
    if (type === 'external_event_received') return [note(null, `event ${textOf(data.correlation_key)} received`)];
    if (/^workflow_(completed|failed|cancelled)$/.test(type)) this.#active.clear();
    return [];
  }

  #start(node: string, atMs: number, data: JsonObject): readonly Entry[] {
    const attempt = numberOf(data.attempt);
    const text = attempt === null ? 'waiting' : 'running';
    const entry: Entry = { mark: 'running', node, tookMs: null, attempt, text: 'started' };
    return this.#begin(node, atMs, attempt, 'running', text, attempt === null ? [] : [entry]);
  }

  #begin(
    node: string,
    sinceMs: number,
    attempt: number | null,
    mark: Active['mark'],
    text: string,
    entries: readonly Entry[],
  ): readonly Entry[] {
    this.#active.delete(node);
    this.#active.set(node, { node, sinceMs, attempt, mark, text });
    return entries;
  }

  #wait(node: string, atMs: number, text: string): readonly Entry[] {
    const sinceMs = this.#active.get(node)?.sinceMs ?? atMs;
    return this.#begin(node, sinceMs, null, 'waiting', text, [{ mark: 'waiting', node, tookMs: null, attempt: null, text }]);
  }

  #timer(node: string, atMs: number, data: JsonObject): readonly Entry[] {
    this.timed.add(node);
    if (this.#approvals.has(node)) return [];
    const fireAtMs = typeof data.fire_at === 'string' ? Date.parse(data.fire_at) : Number.NaN;
    const left = Number.isNaN(fireAtMs) ? '' : duration(fireAtMs - atMs);
    const key = textOf(data.correlation_key);
    if (key !== '') this.awaited.set(node, key);
    return this.#wait(
      node,
      atMs,
      key === '' ? `waits for ${left}` : `waits for event ${key}${left === '' ? '' : `, at most ${left}`}`,
    );
  }

  #retry(node: string, atMs: number, data: JsonObject): readonly Entry[] {
    const attempt = numberOf(data.attempt);
    const text = `next attempt in ${duration(numberOf(data.delay_ms) ?? 0)}`;
    return this.#begin(node, atMs, attempt, 'retry', text, [{ mark: 'retry', node, tookMs: null, attempt: null, text }]);
  }

  #decide(node: string, data: JsonObject): readonly Entry[] {
    const approval = this.#approvals.get(node);
    this.#approvals.delete(node);
    const comment = textOf(data.comment);
    const text = `${textOf(data.decision)} by ${textOf(data.user_id)}${comment === '' ? '' : `: ${comment}`}`;
    if (approval?.kind === 'tool') return [note(node, text)];
    this.#decisions.set(node, text);
    return [];
  }

  #take(node: string): string {
    const decision = this.#decisions.get(node) ?? '';
    this.#decisions.delete(node);
    return decision;
  }

  #end(node: string, atMs: number, mark: Mark, data: JsonObject, text: string): readonly Entry[] {
    const active = this.#active.get(node);
    this.#active.delete(node);
    this.#approvals.delete(node);
    this.awaited.delete(node);
    this.timed.delete(node);
    const tookMs = active === undefined ? numberOf(data.duration_ms) : (numberOf(data.duration_ms) ?? atMs - active.sinceMs);
    const attempt = numberOf(data.attempt) ?? active?.attempt ?? null;
    return [{ mark, node, tookMs: mark === 'skipped' ? null : tookMs, attempt, text }];
  }
}

const GLYPHS: Readonly<Record<Mark, string>> = {
  running: '▸',
  done: '✓',
  failed: '✗',
  retry: '↻',
  waiting: '◆',
  skipped: '–',
  cancelled: '⊘',
  note: '·',
};

/** `✓ fetch     120 ms  attempt 1`. */
export function renderEntry(entry: Entry, nodeWidth: number, paint: Paint): string {
  const took = entry.tookMs === null ? '' : duration(entry.tookMs);
  const attempt = entry.attempt === null ? '' : `attempt ${entry.attempt + 1}`;
  const text = plain(entry.text);
  const remarks = [
    attempt === '' ? '' : paint.dim(attempt),
    entry.mark === 'failed' ? paint.red(text) : quiet(entry.mark, paint)(text),
  ];
  return layout(colourOf(entry.mark, paint)(GLYPHS[entry.mark]), entry.node, took, remarks, nodeWidth);
}

export function renderActive(active: Active, nodeWidth: number, nowMs: number, spinner: string, paint: Paint): string {
  const glyph = active.mark === 'running' ? paint.cyan(spinner) : colourOf(active.mark, paint)(GLYPHS[active.mark]);
  const attempt = active.attempt === null || active.attempt === 0 ? '' : `attempt ${active.attempt + 1}`;
  return layout(
    glyph,
    active.node,
    duration(Math.max(0, nowMs - active.sinceMs)),
    [paint.dim(attempt), paint.dim(plain(active.text))],
    nodeWidth,
  );
}

function layout(glyph: string, node: string | null, took: string, remarks: readonly string[], nodeWidth: number): string {
  const name = node === null ? '' : cut(plain(node), nodeWidth);
  const remark = remarks.filter((part) => part !== '').join('  ');
  if (node === null) return `  ${glyph} ${remark}`;
  return `  ${glyph} ${pad(name, nodeWidth)}  ${took.padStart(10)}  ${remark}`.trimEnd();
}

function colourOf(mark: Mark, paint: Paint): (text: string) => string {
  if (mark === 'done') return paint.green;
  if (mark === 'failed') return paint.red;
  if (mark === 'running') return paint.cyan;
  return mark === 'skipped' || mark === 'cancelled' || mark === 'note' ? paint.dim : paint.yellow;
}

function quiet(mark: Mark, paint: Paint): (text: string) => string {
  return mark === 'skipped' || mark === 'cancelled' || mark === 'note' || mark === 'running' ? paint.dim : (text) => text;
}

function note(node: string | null, text: string): Entry {
  return { mark: 'note', node, tookMs: null, attempt: null, text };
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return isObject(value) || Array.isArray(value) ? inline(value) : String(value);
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

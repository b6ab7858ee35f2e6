import type { JsonObject } from '../../../machines/json.ts';
import type { Paint } from '../terminal/paint.ts';
import { width } from '../terminal/text.ts';
import { type Active, type Entry, kindsOf, type OpenApproval, Timeline, type TimelineEvent } from '../timeline.ts';
import { renderActive, renderEntry } from './timeline.ts';

export interface LogText {
  readonly lines: readonly string[];
  /** What waited for a decision at its end. */
  readonly approvals: readonly OpenApproval[];
  /** What waited for an external event: its key by node id. */
  readonly awaited: ReadonlyMap<string, string>;
}

/** A log as lines: what happened, and what was under way at its end, seen from `nowMs` (null = nothing is any more). */
export function logText(ir: JsonObject, events: readonly TimelineEvent[], nowMs: number | null, paint: Paint): LogText {
  const timeline = new Timeline(kindsOf(ir));
  const happened = events.flatMap((event) => timeline.apply(event)).filter((entry) => entry.mark !== 'running');
  const { approvals, awaited } = timeline;
  const active = nowMs === null ? [] : timeline.active;
  const told = withoutActive(happened, active);
  const nodeWidth = Math.min(32, Math.max(8, ...[...told, ...active].map((line) => width(line.node ?? ''))));
  const lines = told.map((entry) => renderEntry(entry, nodeWidth, paint));
  if (nowMs !== null) lines.push(...active.map((each) => renderActive(each, nodeWidth, nowMs, '▸', paint)));
  return { lines, approvals, awaited };
}

/** Without the beginnings of what is still under way: a line of its own says so, and for how long. */
function withoutActive(happened: readonly Entry[], active: readonly Active[]): readonly Entry[] {
  const last = new Map(happened.map((entry) => [entry.node, entry]));
  const begun = new Set(active.map(({ node, mark }) => (last.get(node)?.mark === mark ? last.get(node) : undefined)));
  return happened.filter((entry) => !begun.has(entry));
}

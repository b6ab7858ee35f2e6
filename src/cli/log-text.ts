import type { JsonObject } from '../../machines/json.ts';
import type { Paint } from './terminal/paint.ts';
import { width } from './terminal/text.ts';
import { kindsOf, type OpenApproval, Timeline, type TimelineEvent } from './timeline.ts';
import { renderActive, renderEntry } from './timeline-text.ts';

export interface LogText {
  readonly lines: readonly string[];
  /** What waited for a decision at its end. */
  readonly approvals: readonly OpenApproval[];
}

/** A log as lines: what happened, and what was under way at its end, seen from `nowMs` (null = nothing is any more). */
export function logText(ir: JsonObject, events: readonly TimelineEvent[], nowMs: number | null, paint: Paint): LogText {
  const timeline = new Timeline(kindsOf(ir));
  const happened = events.flatMap((event) => timeline.apply(event)).filter((entry) => entry.mark !== 'running');
  const { active, approvals } = timeline;
  const nodeWidth = Math.min(32, Math.max(8, ...[...happened, ...active].map((line) => width(line.node ?? ''))));
  const lines = happened.map((entry) => renderEntry(entry, nodeWidth, paint));
  if (nowMs !== null) lines.push(...active.map((each) => renderActive(each, nodeWidth, nowMs, '▸', paint)));
  return { lines, approvals };
}

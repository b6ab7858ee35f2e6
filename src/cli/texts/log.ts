import type { HistoryEvent } from '../../../machines/history/event.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { clock, day } from '../../views/time.ts';
import { type ActiveNode, nodeKindsOf, type OpenApproval, type TimedEntry, Timeline } from '../../views/timeline.ts';
import type { Paint } from '../terminal/paint.ts';
import { width } from '../terminal/text.ts';
import { renderActive, renderEntry } from './timeline.ts';

export interface LogText {
  readonly lines: readonly string[];
  /** Nodes that are active at the end of the log. */
  readonly active: readonly ActiveNode[];
  /** Approvals pending at the end of the log. */
  readonly approvals: readonly OpenApproval[];
  /** Correlation keys of the external events awaited at the end of the log, by node id. */
  readonly awaitedEvents: ReadonlyMap<string, string>;
}

const NO_REMARKS: ReadonlyMap<string, string> = new Map();

/**
 * A log as lines: its entries, then the nodes active at its end with their age at `nowMs` (null = none). `remarks`: more about active nodes, by
 * their ids.
 */
export function logText(
  ir: JsonObject,
  events: readonly HistoryEvent[],
  nowMs: number | null,
  paint: Paint,
  remarks = NO_REMARKS,
): LogText {
  const timeline = new Timeline(nodeKindsOf(ir));
  const entries = events.flatMap((event) => timeline.apply(event)).filter((entry) => entry.status !== 'running');
  const { approvals, awaitedEvents } = timeline;
  const active = nowMs === null ? [] : timeline.active;
  const shown = withoutActiveStarts(entries, active);
  const nodeWidth = Math.min(32, Math.max(8, ...[...shown, ...active].map((line) => width(line.node ?? ''))));
  const times = [...shown.map(({ atMs }) => atMs), ...active.map(({ sinceMs }) => sinceMs)];
  const stamp = stampOf(times, paint);
  const lines = shown.map((entry) => `${stamp(entry.atMs)}${renderEntry(entry, nodeWidth, paint)}`);
  if (nowMs !== null) {
    for (const each of active) {
      const remark = remarks.get(each.node);
      const text = remark === undefined ? each.text : `${each.text}: ${remark}`;
      lines.push(`${stamp(each.sinceMs)}${renderActive({ ...each, text }, nodeWidth, nowMs, '▸', paint)}`);
    }
  }
  return { lines, active, approvals, awaitedEvents };
}

/** The local time before a line, with the day if the times are of several days. */
function stampOf(times: readonly number[], paint: Paint): (atMs: number) => string {
  const isOneDay = new Set(times.map(day)).size <= 1;
  return (atMs) => `  ${paint.dim(isOneDay ? clock(atMs) : `${day(atMs)} ${clock(atMs)}`)}`;
}

/** Removes the start entries of active nodes, which have a line of their own. */
function withoutActiveStarts(entries: readonly TimedEntry[], active: readonly ActiveNode[]): readonly TimedEntry[] {
  const last = new Map(entries.map((entry) => [entry.node, entry]));
  const starts = new Set(active.map(({ node, status }) => (last.get(node)?.status === status ? last.get(node) : undefined)));
  return entries.filter((entry) => !starts.has(entry));
}

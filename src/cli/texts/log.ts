import type { JsonObject } from '../../../machines/json.ts';
import {
  type ActiveNode,
  nodeKindsOf,
  type OpenApproval,
  Timeline,
  type TimelineEntry,
  type TimelineEvent,
} from '../../views/timeline.ts';
import type { Paint } from '../terminal/paint.ts';
import { width } from '../terminal/text.ts';
import { renderActive, renderEntry } from './timeline.ts';

export interface LogText {
  readonly lines: readonly string[];
  /** Approvals pending at the end of the log. */
  readonly approvals: readonly OpenApproval[];
  /** Correlation keys of the external events awaited at the end of the log, by node id. */
  readonly awaitedEvents: ReadonlyMap<string, string>;
}

/** A log as lines: its entries, then the nodes active at its end with their age at `nowMs` (null = none). */
export function logText(ir: JsonObject, events: readonly TimelineEvent[], nowMs: number | null, paint: Paint): LogText {
  const timeline = new Timeline(nodeKindsOf(ir));
  const entries = events.flatMap((event) => timeline.apply(event)).filter((entry) => entry.status !== 'running');
  const { approvals, awaitedEvents } = timeline;
  const active = nowMs === null ? [] : timeline.active;
  const shown = withoutActiveStarts(entries, active);
  const nodeWidth = Math.min(32, Math.max(8, ...[...shown, ...active].map((line) => width(line.node ?? ''))));
  const lines = shown.map((entry) => renderEntry(entry, nodeWidth, paint));
  if (nowMs !== null) lines.push(...active.map((each) => renderActive(each, nodeWidth, nowMs, '▸', paint)));
  return { lines, approvals, awaitedEvents };
}

/** Removes the start entries of active nodes, which have a line of their own. */
function withoutActiveStarts(entries: readonly TimelineEntry[], active: readonly ActiveNode[]): readonly TimelineEntry[] {
  const last = new Map(entries.map((entry) => [entry.node, entry]));
  const starts = new Set(active.map(({ node, status }) => (last.get(node)?.status === status ? last.get(node) : undefined)));
  return entries.filter((entry) => !starts.has(entry));
}

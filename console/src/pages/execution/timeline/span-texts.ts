import type { Span, SpanKind } from '../../../../../src/views/spans.ts';
import { duration } from '../../../../../src/views/time.ts';

const KINDS: Readonly<Record<SpanKind, string>> = {
  queued: 'queued',
  running: 'running',
  retry_wait: 'waits for its retry',
  held: 'held by a policy',
  waiting_approval: 'waits for an approval',
  waiting_event: 'waits for an event',
  timer: 'waits for a time',
  child: 'child execution runs',
  child_paused: 'child execution is paused',
  skipped: 'skipped',
};

/** What a span is, in a few words: `attempt 2 failed`. */
export function spanTitle(span: Span): string {
  if (span.kind === 'skipped') return 'skipped';
  const attempt = `${span.activation > 1 ? `visit ${span.activation}, ` : ''}attempt ${span.attempt + 1}`;
  if (span.kind !== 'running') {
    const outcome = span.outcome === null ? '' : `, ${span.outcome}`;
    return `${attempt}: ${KINDS[span.kind]}${outcome}`;
  }
  return `${attempt} ${span.outcome === null ? (span.endMs === null ? 'is running' : 'ran') : span.outcome}`;
}

/** How long a span took, or has taken so far. */
export function spanDuration(span: Span, nowMs: number): string {
  if (span.durationMs !== null && span.kind === 'running') return duration(span.durationMs);
  return duration(Math.max(0, Math.round((span.endMs ?? nowMs) - span.startMs)));
}

/** On the bar itself, where there is room. */
export function spanLabel(span: Span, nowMs: number): string {
  return span.kind === 'running' ? spanDuration(span, nowMs) : `${KINDS[span.kind]} ${spanDuration(span, nowMs)}`;
}

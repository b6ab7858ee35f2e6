import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../machines/history/event.ts';
import { History } from '../../machines/history/history.ts';
import { NodeVisits } from '../../machines/history/node-visits.ts';
import type { JsonObject } from '../../machines/json.ts';
import { type Span, Spans } from '../../src/views/spans.ts';
import { nodeKindsOf } from '../../src/views/timeline.ts';
import { type Golden, goldenNames, historyEvents, readGolden } from '../support/golden.ts';

const KINDS = nodeKindsOf({ nodes: { paid: { kind: { type: 'wait', correlation_key: 'paid' } } } });

type Row = readonly [atMs: number, node: string | null, type: string, data?: JsonObject];

const eventsOf = (...rows: readonly Row[]): HistoryEvent[] =>
  rows.map(([atMs, node_id, type, data = {}], index) => ({
    sequence: index + 1,
    type,
    node_id,
    created_at: new Date(atMs).toISOString(),
    data: node_id === null ? data : { activation: 1, ...data },
  }));

const spansOf = (...rows: readonly Row[]): Spans => {
  const spans = new Spans(KINDS);
  for (const event of eventsOf(...rows)) spans.apply(event);
  return spans;
};

/** `running 5–30 failed`. */
const textOf = ({ kind, startMs, endMs, outcome }: Span): string =>
  `${kind} ${startMs}–${endMs ?? ''}${outcome === null ? '' : ` ${outcome}`}`;
const textsOf = (spans: Spans, node: string): readonly string[] => (spans.rowOf(node)?.spans ?? []).map(textOf);

describe('Spans', () => {
  it('show the queue, the attempts and the waits between them', () => {
    const spans = spansOf(
      [0, null, 'workflow_started'],
      [0, 'pay', 'node_scheduled', { attempt: 0, queue_type: 'tool' }],
      [5, 'pay', 'node_started', { attempt: 0 }],
      [30, 'pay', 'node_failed', { attempt: 0, retryable: true, error: 'declined', duration_ms: 24 }],
      [30, 'pay', 'retry_scheduled', { attempt: 1, delay_ms: 100 }],
      [130, 'pay', 'node_scheduled', { attempt: 1, in_process: true }],
      [130, 'pay', 'node_started', { attempt: 1 }],
      [200, 'pay', 'node_completed', { output: {}, duration_ms: 69 }],
      [200, null, 'workflow_completed'],
    );
    expect(textsOf(spans, 'pay')).toEqual(['queued 0–5', 'running 5–30 failed', 'retry_wait 30–130', 'running 130–200 done']);
    const [, failed, wait, done] = spans.rowOf('pay')?.spans ?? [];
    expect(failed).toMatchObject({ attempt: 0, error: 'declined', durationMs: 24 });
    expect(wait).toMatchObject({ attempt: 0, untilMs: 130 });
    expect(done).toMatchObject({ attempt: 1, durationMs: 69 });
    expect(spans).toMatchObject({ startMs: 0, lastMs: 200, endMs: 200 });
  });

  it('tell waits for a person, an event, a time and a child apart', () => {
    const spans = spansOf(
      [0, 'review', 'node_started', { attempt: 0 }],
      [0, 'review', 'interrupt_raised', { description: 'Release?' }],
      [0, 'review', 'timer_created', { fire_at: new Date(90).toISOString() }],
      [0, 'paid', 'node_started', { attempt: 0 }],
      [0, 'pause', 'node_started', { attempt: 0 }],
      [0, 'pause', 'timer_created', { fire_at: new Date(50).toISOString() }],
      [0, 'sub', 'node_started', { attempt: 0 }],
      [0, 'sub', 'child_workflow_waiting'],
      [10, 'sub', 'child_workflow_started', { child_execution_id: 'exec_1' }],
      [20, 'sub', 'child_workflow_paused'],
      [30, 'sub', 'child_workflow_resumed'],
      [40, 'review', 'approval_received', { decision: 'approved', user_id: 'ada', comment: 'fine' }],
      [40, 'review', 'node_completed', { output: {} }],
      [50, 'pause', 'timer_fired'],
      [50, 'pause', 'node_completed', { output: {} }],
      [60, 'guarded', 'tool_approval_required', { tool_name: 'pay', context: {} }],
    );
    expect(textsOf(spans, 'review')).toEqual(['waiting_approval 0–40 done']);
    expect(spans.rowOf('review')?.spans[0]?.untilMs).toBe(90);
    expect(textsOf(spans, 'paid')).toEqual(['waiting_event 0–']);
    expect(textsOf(spans, 'pause')).toEqual(['timer 0–50 done']);
    expect(textsOf(spans, 'sub')).toEqual(['queued 0–10', 'child 10–20', 'child_paused 20–30', 'child 30–']);
    expect(spans.rowOf('sub')?.spans[1]?.child_execution_id).toBe('exec_1');
    expect(textsOf(spans, 'guarded')).toEqual(['held 60–']);
    expect(spans.marks.map(({ kind, node, text }) => [kind, node, text])).toEqual([
      ['decision', 'review', 'approved by ada: fine'],
      ['timer', 'pause', 'timer fired'],
    ]);
  });

  it('end with the execution, and go on when it is retried', () => {
    const spans = spansOf(
      [0, 'paid', 'node_started', { attempt: 0 }],
      [0, 'pay', 'node_scheduled', { attempt: 0 }],
      [9, 'pay', 'node_failed', { attempt: 0, retryable: false, error: 'declined' }],
      [9, null, 'workflow_failed', { error: 'node(s) failed terminally: pay' }],
      [50, null, 'workflow_retried', { nodes: ['pay'] }],
      [50, 'pay', 'node_scheduled', { attempt: 1 }],
    );
    expect(textsOf(spans, 'paid')).toEqual(['waiting_event 0–9 cancelled', 'waiting_event 50–']);
    expect(textsOf(spans, 'pay')).toEqual(['queued 0–9 failed', 'queued 50–']);
    expect(spans.endMs).toBeNull();
    expect(spans.marks.map(({ kind }) => kind)).toEqual(['ended', 'retried']);
  });

  it('begin anew what was in progress at a fork', () => {
    const origin = { execution_id: 'exec_1', sequence: 1 };
    const spans = spansOf([0, 'paid', 'node_started'], [5_000, null, 'workflow_forked', { origin }]);
    expect(textsOf(spans, 'paid')).toEqual(['waiting_event 0–0', 'waiting_event 5000–']);
    expect(spans.marks[0]).toMatchObject({ kind: 'forked', text: 'forked from exec_1 at 1' });
  });

  it('count work that a stopped runtime has handed back as two spans of one attempt', () => {
    const spans = spansOf(
      [0, 'pay', 'node_scheduled', { attempt: 0, in_process: true }],
      [0, 'pay', 'node_started', { attempt: 0 }],
      [500, 'pay', 'node_scheduled', { attempt: 0, in_process: true }],
      [900, 'pay', 'node_started', { attempt: 0 }],
    );
    expect(textsOf(spans, 'pay')).toEqual(['running 0–500', 'queued 500–900', 'running 900–']);
  });

  it('say which rows have changed, and keep the order in which nodes began', () => {
    const spans = new Spans(KINDS);
    const events = eventsOf(
      [0, 'b', 'node_scheduled'],
      [1, 'a', 'node_scheduled'],
      [2, 'b', 'node_started'],
      [3, null, 'workflow_paused'],
    );
    const changes = events.map((event) => {
      spans.apply(event);
      return [...spans.takeChanged()];
    });
    expect(changes).toEqual([['b'], ['a'], ['b'], []]);
    expect(spans.rows.map(({ node }) => node)).toEqual(['b', 'a']);
  });

  it('keep the latest of a loop without end', () => {
    const spans = new Spans(KINDS, new History(), { spans: 10, marks: 3 });
    for (let activation = 1; activation <= 1_000; activation += 1) {
      for (const event of eventsOf(
        [activation * 10, 'pay', 'node_scheduled', { activation, attempt: 0 }],
        [activation * 10 + 5, 'pay', 'node_completed', { activation, output: {} }],
        [activation * 10 + 5, null, 'external_event_received', { correlation_key: 'x' }],
      ))
        spans.apply(event);
    }
    const row = spans.rowOf('pay');
    expect(row?.visits).toBe(1_000);
    expect(row?.spans.at(-1)).toMatchObject({ activation: 1_000, outcome: 'done' });
    expect(row?.spans.length).toBeLessThanOrEqual(20);
    expect((row?.spans.length ?? 0) + (row?.omitted ?? 0)).toBe(1_000);
    expect(spans.marks.length).toBeLessThanOrEqual(6);
  });

  it('do not go back in time when clocks differ', () => {
    const spans = spansOf([100, 'pay', 'node_scheduled', { attempt: 0 }], [40, 'pay', 'node_completed', { output: {} }]);
    expect(textsOf(spans, 'pay')).toEqual(['queued 100–100 done']);
  });

  it.each(goldenNames())('agree with the visits of the log %s', (name) => {
    const { events, document } = readGolden(name) as Golden;
    const history = new History({ visits: 100, attempts: 100 });
    const { nodes } = history;
    const spans = new Spans(nodeKindsOf(document), history);
    for (const event of historyEvents(events)) spans.apply(event);
    const hasEnded = history.end !== null;
    expect(spans.endMs !== null).toBe(hasEnded);
    expect(spans.rows.map(({ node }) => node).sort()).toEqual(
      [...nodes].flatMap(([node, visits]) => (visits.total === 0 ? [] : [node])).sort(),
    );
    for (const { node, spans: drawn, visits: count } of spans.rows) {
      const visits = nodes.get(node) ?? new NodeVisits(node);
      expect(count).toBe(visits.total);
      const ended = visits
        .all(hasEnded)
        .flatMap((visit) =>
          visit.attempts
            .filter(({ status }) => status === 'done' || status === 'failed')
            .map(({ attempt, status, duration_ms, error }) => [visit.activation, attempt, status, duration_ms, error]),
        );
      const closed = drawn
        .filter(({ outcome }) => outcome === 'done' || outcome === 'failed')
        .map(({ activation, attempt, outcome, durationMs, error }) => [activation, attempt, outcome, durationMs, error]);
      expect(closed).toEqual(ended);
      for (const visit of visits.all(hasEnded)) {
        // Work beside the graph has no number of its own.
        if (visit.activation === 0) continue;
        const last = drawn.findLast(({ activation }) => activation === visit.activation);
        if (['done', 'failed', 'skipped', 'cancelled'].includes(visit.status)) expect(last?.outcome).toBe(visit.status);
        else expect(last).toMatchObject({ endMs: null, outcome: null });
      }
      for (const [index, span] of drawn.entries()) {
        expect(span.endMs ?? span.startMs).toBeGreaterThanOrEqual(span.startMs);
        const next = drawn[index + 1];
        if (next?.activation === span.activation) expect(next.startMs).toBeGreaterThanOrEqual(span.endMs ?? Number.NaN);
      }
    }
  });
});

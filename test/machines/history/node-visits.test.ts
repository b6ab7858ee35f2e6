import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../../machines/history/event.ts';
import { History } from '../../../machines/history/history.ts';
import { NodeVisits } from '../../../machines/history/node-visits.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type Golden, goldenNames, historyEvents, readGolden } from '../../support/golden.ts';

const START_MS = Date.parse('2026-03-12T10:00:00.000Z');
const at = (ms: number): string => new Date(START_MS + ms).toISOString();

/** Events of the node `charge` from `[at ms, type, data]` rows. */
const eventsOf = (...rows: readonly (readonly [number, string, JsonObject?])[]): HistoryEvent[] =>
  rows.map(([ms, type, data = {}], index) => ({
    sequence: index + 1,
    type,
    node_id: 'charge',
    created_at: at(ms),
    data: { activation: 1, ...data },
  }));

const visitsOf = (events: readonly HistoryEvent[], hasEnded = false) => {
  const visits = new NodeVisits('charge');
  for (const event of events) visits.apply(event);
  return visits.all(hasEnded);
};

describe('NodeVisits', () => {
  it('adds what an attempt used that was given up, and that of the same one when it began again', () => {
    const events = eventsOf(
      [0, 'node_scheduled', { attempt: 0, queue_type: 'model', in_process: true }],
      [5, 'node_started', { attempt: 0, worker_id: 'runtime-1' }],
      [20, 'usage_recorded', { attempt: 0, input_tokens: 7, finish_reason: 'aborted' }],
      [30, 'node_scheduled', { attempt: 0, queue_type: 'model', in_process: true }],
      [35, 'node_started', { attempt: 0, worker_id: 'runtime-2' }],
      [50, 'node_completed', { output: 'hi', input_tokens: 10, output_tokens: 2, finish_reason: 'stop' }],
      [60, 'usage_recorded', { attempt: 3, input_tokens: 1 }],
    );
    const [visit] = visitsOf(events);
    expect(visit?.attempts.map(({ usage }) => usage)).toEqual([{ input_tokens: 17, output_tokens: 2, finish_reason: 'stop' }]);
  });

  it('gives each attempt its input, its times, its error with stack and cause, and what it used', () => {
    const failure = {
      attempt: 0,
      retryable: true,
      error: 'declined: no funds',
      error_name: 'DeclinedError',
      error_class: 'server_error',
      http_status: 503,
      stack: 'at charge (tools/pay.ts:12:9)',
      cause: { name: 'Error', message: 'no funds' },
      input_tokens: 7,
    };
    const [visit] = visitsOf(
      eventsOf(
        [0, 'node_scheduled', { attempt: 0, queue_type: 'tool', in_process: true }],
        [5, 'node_started', { attempt: 0, worker_id: 'runtime-1', input: { amount: 3 } }],
        [30, 'node_failed', failure],
        [30, 'retry_scheduled', { attempt: 1, delay_ms: 100 }],
        [130, 'node_scheduled', { attempt: 1, queue_type: 'tool' }],
        [140, 'node_started', { attempt: 1, worker_id: 'worker-7', input_from: 'state' }],
        [400, 'tool_call_completed', { tool: 'charge', duration_ms: 250 }],
        [400, 'node_completed', { output: { ok: true }, duration_ms: 250, taken: ['ship'] }],
      ),
    );
    expect(visit).toEqual({
      activation: 1,
      status: 'done',
      attempts_total: 2,
      taken: ['ship'],
      attempts: [
        {
          ...failure,
          input_tokens: undefined,
          status: 'failed',
          queued_at: at(0),
          started_at: at(5),
          completed_at: at(30),
          duration_ms: 25,
          worker_id: 'runtime-1',
          input: { amount: 3 },
          usage: { input_tokens: 7 },
          next_attempt_at: at(130),
        },
        {
          attempt: 1,
          status: 'done',
          queued_at: at(130),
          started_at: at(140),
          completed_at: at(400),
          duration_ms: 250,
          worker_id: 'worker-7',
          queue: 'tool',
          input_from: 'state',
          input_sequence: 6,
          output: { ok: true },
          usage: null,
        },
      ],
    });
  });

  it('shows which conditions a visit has evaluated, and which edge it took', () => {
    const evaluated = [
      { target: 'a', condition: 'state.n > 1', problem: 'null is no number' },
      { target: 'b', condition: 'state.ok', value: true },
    ];
    const [visit] = visitsOf(eventsOf([0, 'node_completed', { output: null, taken: ['b'], evaluated }]));
    expect(visit).toMatchObject({ status: 'done', taken: ['b'], evaluated });
    expect(visit?.attempts).toMatchObject([
      { attempt: 0, status: 'done', started_at: at(0), completed_at: at(0), duration_ms: 0 },
    ]);
  });

  it('measures a wait by its events, and names the decisions of people', () => {
    const events = eventsOf(
      [0, 'node_started', { attempt: 0 }],
      [0, 'interrupt_raised', { description: 'Release?' }],
      [60_000, 'approval_received', { decision: 'approved', user_id: 'ada', comment: null }],
      [60_000, 'node_completed', { output: { approved: true }, duration_ms: 0 }],
    );
    expect(visitsOf(events.slice(0, 2))).toMatchObject([
      { status: 'waiting', question: 'Release?', attempts: [{ status: 'waiting' }] },
    ]);
    expect(visitsOf(events)).toMatchObject([
      {
        status: 'done',
        decisions: [{ decision: 'approved', user_id: 'ada', comment: null, decided_at: at(60_000) }],
        attempts: [{ duration_ms: 60_000 }],
      },
    ]);
  });

  it('counts work that a stopped runtime has handed back as the same attempt', () => {
    const [visit] = visitsOf(
      eventsOf(
        [0, 'node_scheduled', { attempt: 0, in_process: true }],
        [0, 'node_started', { attempt: 0, worker_id: 'runtime-1' }],
        [500, 'node_scheduled', { attempt: 0, in_process: true }],
        [900, 'node_started', { attempt: 0, worker_id: 'runtime-2' }],
      ),
    );
    expect(visit).toMatchObject({
      status: 'active',
      attempts: [{ queued_at: at(500), started_at: at(900), worker_id: 'runtime-2' }],
    });
  });

  it('begins a visit for each activation, and keeps the last ones within its limits', () => {
    const visits = new NodeVisits('charge', { visits: 2, attempts: 3 });
    for (let activation = 1; activation <= 4; activation += 1)
      for (let attempt = 0; attempt < 5; attempt += 1)
        for (const event of eventsOf([0, 'node_scheduled', { activation, attempt }], [1, 'node_failed', { activation, attempt }]))
          visits.apply(event);
    expect(visits.total).toBe(4);
    expect(visits.all(false).map(({ activation, attempts_total }) => [activation, attempts_total])).toEqual([
      [3, 5],
      [4, 5],
    ]);
    expect(visits.all(false)[1]?.attempts.map(({ attempt }) => attempt)).toEqual([2, 3, 4]);
  });

  it('counts what was in progress when the execution ended as cancelled', () => {
    const events = eventsOf([0, 'node_scheduled', { attempt: 0 }]);
    expect(visitsOf(events, true)).toMatchObject([{ status: 'cancelled', attempts: [{ status: 'cancelled' }] }]);
  });

  it.each(goldenNames())('has an ended attempt for every completion and failure of the log %s', (name) => {
    const log = historyEvents((readGolden(name) as Golden).events);
    const history = new History({ visits: 100, attempts: 100 });
    for (const event of log) history.apply(event);
    const count = (type: string) => log.filter((event) => event.type === type && event.data.item === undefined).length;
    const attempts = [...history.nodes.values()].flatMap((visits) => visits.all(true)).flatMap((visit) => visit.attempts);
    const ended = (status: string) => attempts.filter((attempt) => attempt.status === status);
    expect([ended('done').length, ended('failed').length]).toEqual([count('node_completed'), count('node_failed')]);
    for (const { started_at, queued_at, completed_at, duration_ms } of ended('done')) {
      expect(Date.parse(completed_at ?? '')).toBeGreaterThanOrEqual(Date.parse(started_at ?? queued_at ?? ''));
      expect(duration_ms).toBeGreaterThanOrEqual(0);
    }
  });
});

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { paint } from '../../src/cli/terminal/paint.ts';
import { renderActive, renderEntry } from '../../src/cli/texts/timeline.ts';
import { nodeKindsOf, Timeline } from '../../src/views/timeline.ts';

/** `paid` waits for the event `payment`, `later` for a timer. */
const timelineOf = () =>
  new Timeline(
    nodeKindsOf({
      nodes: {
        paid: { kind: { type: 'wait', condition: 'either', correlation_key: 'payment' } },
        later: { kind: { type: 'wait', condition: 'timer' } },
      },
    }),
  );

const START_MS = Date.parse('2026-03-12T10:00:00.000Z');

/** Applies `[at ms, type, node, data]` rows and returns the printed lines. */
function lines(timeline: Timeline, ...rows: readonly (readonly [number, string, string | null, JsonObject?])[]): string[] {
  return rows.flatMap(([at, type, node_id, data = {}], index) => {
    const event = { sequence: index + 1, type, node_id, data, created_at: new Date(START_MS + at).toISOString() };
    return timeline.apply(event).map((entry) => renderEntry(entry, 8, paint(false)));
  });
}

describe('Timeline', () => {
  it('shows the start and the end of a node with its duration and attempt', () => {
    const timeline = timelineOf();
    const printed = lines(
      timeline,
      [0, 'workflow_started', null],
      [1, 'node_scheduled', 'fetch', { attempt: 0, in_process: true }],
      [2, 'node_started', 'fetch', { attempt: 0 }],
      [122, 'node_completed', 'fetch', { duration_ms: 120 }],
    );
    expect(printed).toEqual(['  ▸ fetch                 attempt 0  started', '  ✓ fetch         120 ms  attempt 0']);
    expect(timeline.active).toEqual([]);
  });

  it('counts the items of a list while they are done, and when all have ended', () => {
    const timeline = timelineOf();
    const items = lines(
      timeline,
      [0, 'map_started', 'score', { count: 3, activation: 1 }],
      [1, 'node_started', 'score', { item: 0, activation: 1 }],
      [2, 'node_completed', 'score', { item: 0, activation: 1 }],
      [3, 'node_failed', 'score', { item: 1, activation: 1, error: 'unknown' }],
    );
    expect(items).toEqual(['  ▸ score                 0 of 3', '  · score                 item 1: unknown']);
    expect(timeline.active[0]?.text).toBe('2 of 3, 1 failed');
    const end = lines(
      timeline,
      [4, 'map_completed', 'score', { succeeded: 1, failed: 1, cancelled: 1, activation: 1 }],
      [5, 'node_failed', 'score', { activation: 1, error: 'item 1: unknown' }],
    );
    expect(end).toEqual(['  ✗ score           5 ms  2 of 3, 1 failed  item 1: unknown']);
  });

  it('measures active nodes of a fork from the time of the fork', () => {
    const printed = lines(
      timelineOf(),
      [0, 'node_started', 'ask', {}],
      [0, 'interrupt_raised', 'ask', { reason: 'human_approval' }],
      [60_000, 'workflow_forked', null, { origin: { execution_id: 'exec_1', sequence: 2 } }],
      [61_500, 'approval_received', 'ask', { decision: 'approved', user_id: 'ada' }],
      [61_500, 'node_completed', 'ask', {}],
    );
    expect(printed.at(-1)).toBe('  ✓ ask            1.5 s  approved by ada');
  });

  it('shows the actor of a rejection and the person it acted for', () => {
    const timeline = timelineOf();
    lines(timeline, [0, 'node_started', 'ask', {}], [0, 'interrupt_raised', 'ask', { reason: 'human_approval' }]);
    const decided = { sequence: 3, type: 'approval_received', node_id: 'ask', created_at: new Date(START_MS).toISOString() };
    const data = { decision: 'rejected', user_id: 'cfo', comment: 'no' };
    timeline.apply({ ...decided, data, actor_id: 'ada', on_behalf_of: 'cfo' });
    const printed = lines(timeline, [1_500, 'node_failed', 'ask', { error: 'approval rejected by cfo: no' }]);
    expect(printed).toEqual(['  ✗ ask            1.5 s  approval rejected by ada on behalf of cfo: no']);
  });

  it('shows the actions of operators', () => {
    expect(
      lines(
        timelineOf(),
        [0, 'workflow_paused', null, { reason: 'a look first' }],
        [1, 'workflow_paused', null, { reason: null }],
        [2, 'workflow_resumed', null],
        [3, 'workflow_retried', null, { nodes: ['charge', 'ship'] }],
      ),
    ).toEqual(['  · paused: a look first', '  · paused', '  · resumed', '  · retried: charge, ship']);
  });

  it('shows the queue of work that waits for a worker', () => {
    const timeline = timelineOf();
    expect(lines(timeline, [0, 'node_scheduled', 'train', { attempt: 0, queue_type: 'python_tool' }])).toEqual([
      '  ▸ train                 attempt 0  waiting for a worker of queue python_tool',
    ]);
    expect(timeline.active).toMatchObject([{ node: 'train', queue: 'python_tool' }]);
    lines(timeline, [5, 'node_started', 'train', { attempt: 0, worker_id: 'w1' }]);
    expect(timeline.active).toMatchObject([{ node: 'train', queue: null }]);
  });

  it('computes the duration from timestamps if the event has none', () => {
    expect(
      lines(
        timelineOf(),
        [0, 'node_scheduled', 'a', { attempt: 0, in_process: true }],
        [0, 'node_started', 'a', { attempt: 0 }],
        [1500, 'node_completed', 'a'],
      ).at(-1),
    ).toBe('  ✓ a              1.5 s  attempt 0');
  });

  it('counts attempts from one and shows the delay of the next one', () => {
    expect(
      lines(
        timelineOf(),
        [0, 'node_scheduled', 'charge', { attempt: 0, in_process: true }],
        [0, 'node_started', 'charge', { attempt: 0 }],
        [40, 'node_failed', 'charge', { attempt: 0, error: 'card declined', retryable: true }],
        [40, 'retry_scheduled', 'charge', { attempt: 1, delay_ms: 2000 }],
        [2040, 'node_scheduled', 'charge', { attempt: 1, in_process: true }],
        [2040, 'node_started', 'charge', { attempt: 1 }],
        [2050, 'node_completed', 'charge', { duration_ms: 10 }],
      ),
    ).toEqual([
      '  ▸ charge                attempt 0  started',
      '  ✗ charge         40 ms  attempt 0  card declined',
      '  ↻ charge                next attempt in 2 s',
      '  ▸ charge                attempt 1  started',
      '  ✓ charge         10 ms  attempt 1',
    ]);
  });

  it('says that an attempt begins again whose process is gone', () => {
    expect(
      lines(
        timelineOf(),
        [0, 'node_scheduled', 'run', { attempt: 0, in_process: true }],
        [0, 'node_started', 'run', { attempt: 0 }],
        [900, 'attempt_lost', 'run', { attempt: 0, error: 'runtime lost' }],
        [900, 'node_scheduled', 'run', { attempt: 0, in_process: true }],
        [900, 'node_started', 'run', { attempt: 0 }],
        [950, 'node_completed', 'run', { duration_ms: 50 }],
      ),
    ).toEqual([
      '  ▸ run                   attempt 0  started',
      '  · run                   runtime lost: begins again',
      '  ▸ run                   attempt 0  started',
      '  ✓ run            50 ms  attempt 0',
    ]);
  });

  it('lists an approval until it is decided, and shows who decided', () => {
    const timeline = timelineOf();
    expect(
      lines(timeline, [0, 'node_started', 'review'], [0, 'interrupt_raised', 'review', { reason: 'human_approval' }]),
    ).toEqual(['  ◆ review                waiting for approval']);
    expect(timeline.approvals).toEqual([{ node: 'review', kind: 'human_approval' }]);
    expect(
      lines(
        timeline,
        [3200, 'approval_received', 'review', { decision: 'approved', user_id: 'ann', comment: 'fine' }],
        [3200, 'node_completed', 'review', { duration_ms: 0 }],
      ),
    ).toEqual(['  ✓ review         3.2 s  approved by ann: fine']);
    expect(timeline.approvals).toEqual([]);
  });

  it('shows the approval of a tool separately from its execution', () => {
    const timeline = timelineOf();
    expect(
      lines(
        timeline,
        [0, 'tool_approval_required', 'pay', { tool_name: 'payments.submit' }],
        [10, 'approval_received', 'pay', { decision: 'approved', user_id: 'ann' }],
      ),
    ).toEqual(['  ◆ pay                   waiting for approval of payments.submit', '  · pay                   approved by ann']);
  });

  it('says why a limit of autonomy needs an approval', () => {
    const timeline = timelineOf();
    expect(
      lines(
        timeline,
        [0, 'circuit_breaker_tripped', 'pay', { consecutive_errors: 2, threshold: 2 }],
        [0, 'escalation_required', 'pay', { reason: '2 failed attempts in a row' }],
        [0, 'tool_approval_required', 'pay', { tool_name: 'payments.submit' }],
      ),
    ).toEqual(['  ◆ pay                   waiting for approval of payments.submit: 2 failed attempts in a row']);
    expect(timeline.awaitsDecisionsOnly).toBe(true);
  });

  it('shows once that a policy blocks a node, which fails or goes on', () => {
    const violation = { rule: 'pay', decision: 'blocked' };
    const error = 'blocked by policy: pay';
    expect(
      lines(
        timelineOf(),
        [0, 'policy_violation', 'pay', violation],
        [0, 'node_failed', 'pay', { attempt: 0, error, retryable: false }],
      ),
    ).toEqual(['  ✗ pay                   blocked by policy: pay']);
    expect(
      lines(timelineOf(), [0, 'policy_violation', 'gate', violation], [0, 'node_completed', 'gate', { duration_ms: 0 }]),
    ).toEqual(['  ✓ gate            0 ms  blocked by policy: pay']);
  });

  it('shows the event and the time limit of a wait, and tracks its key and timer', () => {
    const timeline = timelineOf();
    const fire_at = new Date(START_MS + 3_600_000).toISOString();
    expect(
      lines(
        timeline,
        [0, 'node_started', 'paid', { attempt: 0 }],
        [0, 'timer_created', 'paid', { fire_at, correlation_key: 'payment' }],
      ),
    ).toEqual(['  ◆ paid                  waiting for event payment']);
    expect(timeline.active.map((active) => active.text)).toEqual(['waiting for event payment, at most 1 h']);
    expect([...timeline.awaitedEvents]).toEqual([['paid', 'payment']]);
    expect(timeline.hasTimer).toBe(true);
    lines(timeline, [5, 'node_completed', 'paid']);
    expect(timeline.awaitedEvents.size).toBe(0);
    expect(timeline.hasTimer).toBe(false);
  });

  it('shows the duration of a timer', () => {
    const fire_at = new Date(START_MS + 2000).toISOString();
    expect(
      lines(
        timelineOf(),
        [0, 'node_started', 'later'],
        [0, 'timer_created', 'later', { fire_at }],
        [2004, 'node_completed', 'later', { duration_ms: 0 }],
      ),
    ).toEqual(['  ◆ later                 waiting for 2 s', '  ✓ later            2 s']);
  });

  it('lists active nodes until they end', () => {
    const timeline = timelineOf();
    lines(
      timeline,
      [0, 'node_scheduled', 'a', { attempt: 0, in_process: true }],
      [0, 'node_started', 'a', { attempt: 0 }],
      [0, 'node_scheduled', 'b', { attempt: 1, in_process: true }],
      [0, 'node_started', 'b', { attempt: 1 }],
    );
    expect(timeline.active.map((active) => renderActive(active, 8, START_MS + 61_000, '⠋', paint(false)))).toEqual([
      '  ⠋ a            1 m 1 s  running',
      '  ⠋ b            1 m 1 s  attempt 1  running',
    ]);
    lines(timeline, [5, 'workflow_failed', null, { error: 'x' }]);
    expect(timeline.active).toEqual([]);
  });

  it('escapes control characters in the output of tools', () => {
    const [, line] = lines(
      timelineOf(),
      [0, 'node_scheduled', 'a', { attempt: 0, in_process: true }],
      [0, 'node_started', 'a', { attempt: 0 }],
      [1, 'node_failed', 'a', { error: '\u001b[2Jgone\u009b' }],
    );
    expect(line).toContain('\\u001b[2Jgone\\u009b');
  });

  it('ignores unknown event types', () => {
    expect(lines(timelineOf(), [0, 'plan_generated', null, { steps: ['a'] }], [1, 'agent_tool_turn', 'a'])).toEqual([]);
  });

  it('shows the branch that a condition node took, what its conditions evaluated to, and which could not be evaluated', () => {
    const evaluated = [
      { target: 'big', condition: 'state.a.b > 3', problem: 'null is no number' },
      { target: 'big', condition: 'state.n > 100', value: false },
      { target: 'small', condition: 'state.ok', value: true },
    ];
    expect(
      lines(
        timelineOf(),
        [0, 'node_completed', 'check', { duration_ms: 0, taken: ['small'], evaluated }],
        [0, 'node_completed', 'none', { duration_ms: 0, taken: [], evaluated: evaluated.slice(1, 2) }],
      ),
    ).toEqual([
      '  ! check                 state.a.b > 3 cannot be evaluated and counts as false: null is no number',
      '  ✓ check           0 ms  → small: state.n > 100 is false, state.ok is true',
      '  ✓ none            0 ms  → no branch: state.n > 100 is false',
    ]);
  });

  it('names the operations of a durable function, and says once that it runs', () => {
    const timeline = timelineOf();
    const begins = (at: number) =>
      [
        [at, 'node_scheduled', 'run', { attempt: 0, in_process: true, activation: 1 }],
        [at, 'node_started', 'run', { attempt: 0, activation: 1, worker_id: 'r' }],
      ] as const;
    const operation = (name: string, number: number, more: JsonObject = {}) => ({
      name,
      operation: number,
      activation: 1,
      ...more,
    });
    const printed = lines(
      timeline,
      ...begins(0),
      [1, 'step_started', 'run', operation('charge', 1, { kind: 'step' })],
      [1, 'step_failed', 'run', operation('charge', 1, { error: 'busy', delay_ms: 500 })],
      [2, 'step_started', 'run', operation('uuid', 2, { kind: 'value' })],
      [2, 'step_completed', 'run', operation('uuid', 2, { output: '1f' })],
      [3, 'function_parked', 'run', { activation: 1 }],
    );
    expect([timeline.hasTimer, timeline.active.map(({ status, text }) => [status, text])]).toEqual([
      true,
      [['waiting', 'waiting for charge']],
    ]);
    printed.push(
      ...lines(
        timeline,
        [500, 'step_started', 'run', operation('charge', 1, { kind: 'step', attempt: 1 })],
        ...begins(500),
        [507, 'step_completed', 'run', operation('charge', 1, { duration_ms: 7 })],
        [508, 'step_started', 'run', operation('paid', 3, { kind: 'event', correlation_key: 'payment' })],
        [509, 'function_parked', 'run', { activation: 1 }],
      ),
    );
    expect([timeline.hasTimer, timeline.awaitedEvents.get('run')]).toEqual([false, 'payment']);
    printed.push(
      ...lines(timeline, [1_508, 'step_completed', 'run', operation('paid', 3)], ...begins(1_508), [
        1_600,
        'node_completed',
        'run',
        { duration_ms: 92, activation: 1 },
      ]),
    );
    expect(printed).toEqual([
      '  ▸ run                   attempt 0  started',
      '  ↻ run                   charge: busy, next attempt in 500 ms',
      '  ✓ run             7 ms  charge',
      '  ◆ run                   paid: waiting for event payment',
      '  ✓ run              1 s  paid',
      '  ✓ run            92 ms  attempt 0',
    ]);
    expect([timeline.active, timeline.hasTimer]).toEqual([[], false]);
  });
});

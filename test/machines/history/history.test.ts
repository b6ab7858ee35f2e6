import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../../machines/history/event.ts';
import { History } from '../../../machines/history/history.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { type Golden, historyEvents, readGolden } from '../../support/golden.ts';

const eventsOf = (...rows: readonly (readonly [atMs: number, node: string | null, type: string, data?: JsonObject])[]) =>
  rows.map(([atMs, node_id, type, data = {}], index): HistoryEvent => {
    const created_at = new Date(atMs).toISOString();
    return { sequence: index + 1, type, node_id, created_at, data: node_id === null ? data : { activation: 1, ...data } };
  });

const historyOf = (events: readonly HistoryEvent[]): History => {
  const history = new History();
  for (const event of events) history.apply(event);
  return history;
};

const golden = (name: string, upTo = Number.POSITIVE_INFINITY): History =>
  historyOf(historyEvents((readGolden(name) as Golden).events).filter(({ sequence }) => sequence <= upTo));

describe('History', () => {
  it('knows which nodes are in progress, and what a person is to decide', () => {
    const events = eventsOf(
      [0, 'ask', 'node_started'],
      [0, 'ask', 'interrupt_raised', { description: 'Release?' }],
      [0, 'ask', 'timer_created', { fire_at: new Date(90).toISOString() }],
      [1, 'pay', 'tool_approval_required', { tool_name: 'pay', context: {} }],
      [2, 'pay', 'approval_received', { decision: 'approved', user_id: 'ann' }],
      [3, 'ask', 'node_completed', { output: {} }],
    );
    const open = (until: number) =>
      historyOf(events.slice(0, until)).open.map(({ node, now }) => [node, now?.status, now?.asks, now?.hasTimer]);
    expect(open(4)).toEqual([
      ['ask', 'waiting', 'human_approval', true],
      ['pay', 'held', 'tool', false],
    ]);
    expect(open(6)).toEqual([['pay', 'held', null, false]]);
  });

  it('names the errors of the nodes that failed it, those of an earlier failure too', () => {
    expect(golden('budget-route-retried', 10).error).toBe('a: boom; b: boom; wrap-up: boom');
    expect(golden('budget-route-retried', 11).error).toBeNull();
    expect(golden('budget-route-retried').error).toBe('a: boom; b: boom');
    expect(golden('approval-rejected-fails').error).toBe('ask: rejected by ann: never');
    expect(golden('workflow-timeout').error).toBeNull();
  });

  it('has nothing in progress once the execution has ended, until it is retried', () => {
    const history = historyOf(
      eventsOf(
        [0, 'paid', 'node_started'],
        [0, 'pay', 'node_scheduled', { attempt: 0 }],
        [9, 'pay', 'node_failed', { attempt: 0, error: 'declined' }],
        [9, null, 'workflow_failed', { error: 'node(s) failed terminally: pay' }],
      ),
    );
    expect([history.end, history.open, history.error]).toEqual(['failed', [], 'pay: declined']);
    const [retried] = eventsOf([20, null, 'workflow_retried', { nodes: ['pay'] }]);
    if (retried !== undefined) history.apply(retried);
    expect(history.open.map(({ node, now }) => [node, now?.status, now?.retries])).toEqual([
      ['paid', 'waiting', 0],
      ['pay', 'retrying', 1],
    ]);
  });

  it('has the child of the last attempt only', () => {
    const started = { worker_id: 'runtime-1', attempt: 0 };
    const history = historyOf(
      eventsOf(
        [0, 'sub', 'node_started', started],
        [1, 'sub', 'child_workflow_started', { child_execution_id: 'exec_1' }],
        [2, null, 'workflow_forked', { origin: { execution_id: 'exec_0', sequence: 2 } }],
        [2, 'sub', 'node_started', started],
      ),
    );
    const { visit, status, sinceMs } = history.visitsOf('sub')?.now ?? {};
    expect([status, sinceMs, visit?.attempts]).toMatchObject(['active', 2, [{ status: 'active' }]]);
    expect(visit?.attempts[0]).not.toHaveProperty('child_execution_id');
  });

  it('takes an event once, whichever of its projections applies it', () => {
    const history = new History();
    for (const event of eventsOf(
      [0, 'a', 'node_scheduled'],
      [1, 'a', 'node_failed', { retryable: true }],
      [1, 'a', 'retry_scheduled'],
    ))
      expect(history.apply(event)).toBe(history.apply(event));
    expect(history.visitsOf('a')?.now).toMatchObject({ visits: 1, retries: 1, status: 'retrying' });
  });
});

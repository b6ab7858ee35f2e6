import { expect, it } from 'vitest';
import type { HistoryEvent } from '../../../machines/history/event.ts';
import { NodeOperations } from '../../../machines/history/node-operations.ts';
import type { JsonObject } from '../../../machines/json.ts';

/** One a second. */
function events(...written: readonly (readonly [type: string, data: JsonObject])[]): readonly HistoryEvent[] {
  return written.map(([type, data], i) => {
    return { sequence: i + 1, type, node_id: 'run', data, created_at: new Date(i * 1_000).toISOString() } as HistoryEvent;
  });
}

it('the operations of a visit, with what has come of them and what is cut off by its end', () => {
  const operations = new NodeOperations(2);
  const of = (operation: number, more: JsonObject = {}) => ({ operation, name: `o${operation}`, activation: 2, ...more });
  const before = events(
    ['step_started', { operation: 1, name: 'of the first visit', activation: 1 }],
    ['step_started', of(1)],
    ['step_failed', of(1, { attempt: 0, error: 'busy', delay_ms: 10 })],
    ['step_started', of(2, { kind: 'event', correlation_key: 'k' })],
    ['step_started', of(1, { attempt: 1 })],
    ['step_completed', of(1, { attempt: 1, output: { n: 1 }, duration_ms: 3 })],
    ['step_started', of(3, { kind: 'sleep' })],
    ['step_completed', of(3, { output: null })],
    ['step_started', of(4)],
    ['step_failed', of(4, { error: 'no' })],
    ['node_failed', { activation: 2, retryable: true, error: 'runtime lost' }],
  );
  for (const event of before) operations.apply(event);
  expect(operations.all().map(({ status }) => status)).toEqual(['done', 'waiting', 'done', 'failed']);
  expect(operations.all()[0]).toMatchObject({
    name: 'o1',
    kind: 'step',
    attempts: 2,
    output: { n: 1 },
    error: 'busy',
    durationMs: 3,
  });
  expect(operations.all()[2]).toMatchObject({ kind: 'sleep', durationMs: 1_000 });
  for (const event of events(['node_completed', { activation: 2 }])) operations.apply(event);
  expect(operations.all().map(({ status }) => status)).toEqual(['done', 'cancelled', 'done', 'failed']);
});

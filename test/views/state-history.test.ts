import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { StateHistory } from '../../src/views/state-history.ts';
import type { TimelineEvent } from '../../src/views/timeline.ts';
import { type Golden, goldenNames, readGolden } from '../support/golden.ts';

const event = (sequence: number, type: string, node_id: string | null, data: JsonObject): TimelineEvent => ({
  sequence,
  type,
  node_id,
  created_at: new Date(sequence).toISOString(),
  data,
});

describe('StateHistory', () => {
  it('has the state after each event of a long log', () => {
    const history = new StateHistory();
    history.apply(event(1, 'workflow_started', null, { initial_input: { count: 0, gone: true } }));
    for (let i = 1; i <= 5_000; i += 1) {
      history.apply(event(2 * i, 'node_started', 'n', { activation: i }));
      history.apply(
        event(2 * i + 1, 'node_completed', 'n', { state_patch: { count: i, ...(i === 3_000 ? { gone: null } : {}) } }),
      );
    }
    expect(history.sequence).toBe(10_001);
    for (const i of [0, 1, 63, 64, 65, 127, 128, 2_999, 3_000, 4_999, 5_000]) {
      const state = { count: i, ...(i < 3_000 ? { gone: true } : {}) };
      expect(history.at(2 * i + 1)).toEqual(state);
      expect(history.at(2 * i + 2)).toEqual(state);
    }
    expect(history.at(0)).toEqual({});
    expect(history.at(1_000_000)).toEqual({ count: 5_000 });
  });

  it('goes from change to change', () => {
    const history = new StateHistory();
    history.apply(event(1, 'workflow_started', null, { initial_input: { a: 1 } }));
    history.apply(event(2, 'node_started', 'n', {}));
    history.apply(event(3, 'approval_received', 'n', { state_patch: { a: 2 } }));
    history.apply(event(4, 'node_completed', 'n', { output: null }));
    history.apply(event(5, 'workflow_forked', null, { state_patch: { a: 3 } }));
    expect(history.changes).toEqual([1, 3, 5]);
    expect([history.changeBefore(3), history.changeBefore(1), history.changeAfter(3), history.changeAfter(5)]).toEqual([
      1,
      null,
      5,
      null,
    ]);
    expect(history.at(4)).toEqual({ a: 2 });
  });

  it.each(goldenNames())('agrees with the snapshots of the log %s', (name) => {
    const { events, snapshots } = readGolden(name) as Golden;
    // The API restores such lists for readers of the log.
    if (events.some(({ data }) => data.appended !== undefined)) return;
    const history = new StateHistory();
    for (const { at_ms, ...each } of events) history.apply({ ...each, created_at: new Date(at_ms).toISOString() });
    for (const { sequence, state } of snapshots) expect(history.at(sequence)).toEqual(state);
  });
});

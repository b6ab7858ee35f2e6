import type { JsonObject } from '../../machines/json.ts';

const ONE_WORK_NODE = { kind: { type: 'tool', tool_ref: 'work', input_mapping: { n: '{{ state.n }}' } } };

/** The workflow of the throughput measurements: a sequence of nodes, each of which calls a small function that patches the state. */
export function linear(nodes: number): JsonObject {
  const ids = Array.from({ length: nodes }, (_, i) => `step-${i + 1}`);
  return {
    workflow_id: `linear-${nodes}`,
    version: '1',
    start_node: 'step-1',
    nodes: Object.fromEntries(ids.map((id) => [id, ONE_WORK_NODE])),
    edges: ids.map((id, i) => ({ from: id, to: ids[i + 1] ?? 'end' })),
  };
}

export function fanOut(branches: number): JsonObject {
  const ids = Array.from({ length: branches }, (_, i) => `branch-${i + 1}`);
  return {
    workflow_id: `fan-out-${branches}`,
    version: '1',
    start_node: 'split',
    nodes: {
      split: { kind: { type: 'parallel', branches: ids } },
      ...Object.fromEntries(ids.map((id) => [id, ONE_WORK_NODE])),
      both: { kind: { type: 'join', wait_for: ids, merge_strategy: 'collect' } },
    },
    edges: [...ids.map((id) => ({ from: id, to: 'both' })), { from: 'both', to: 'end' }],
  };
}

/** One node that calls `tool` in a loop until `n` in the state has reached `count`. */
export function rounds(tool: string, count: number): JsonObject {
  return {
    workflow_id: `rounds-${tool}`,
    version: '1',
    start_node: 'round',
    nodes: { round: { kind: { type: 'tool', tool_ref: tool, input_mapping: { n: '{{ state.n }}' } } } },
    edges: [
      { from: 'round', to: 'round', condition: `state.n < ${count}` },
      { from: 'round', to: 'end' },
    ],
  };
}

/** Waits immediately: a dormant execution. */
export const WAITING: JsonObject = {
  workflow_id: 'waiting',
  version: '1',
  start_node: 'wait',
  nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'wake' } } },
  edges: [{ from: 'wait', to: 'end' }],
};

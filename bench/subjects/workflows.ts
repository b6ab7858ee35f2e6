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

/** Waits as `WAITING` does, with a timeout: has a timer. */
export const TIMED: JsonObject = {
  ...WAITING,
  workflow_id: 'timed',
  nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'wake' }, timeout_secs: 36_000 } },
};

export const HANGING: JsonObject = chain('hanging', { hang: { kind: { type: 'tool', tool_ref: 'hang' } } });
export const APPROVAL: JsonObject = chain('approval', {
  ask: { kind: { type: 'human_approval', description: 'Go on?' } },
  act: ONE_WORK_NODE,
});
export const EVENT: JsonObject = chain('event', {
  wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'wake' } },
  act: ONE_WORK_NODE,
});
export const RETRY: JsonObject = chain('retry', {
  flaky: {
    kind: { type: 'tool', tool_ref: 'flaky', input_mapping: { n: '{{ state.n }}' } },
    retry_policy: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0 },
  },
});
/** Its node is done by external workers of the queue `python_tool`. */
export const EXTERNAL: JsonObject = chain('external', {
  score: { kind: { type: 'python_fn', module: 'scoring', function: 'score' } },
});

function chain(id: string, nodes: JsonObject): JsonObject {
  const ids = Object.keys(nodes);
  return {
    workflow_id: id,
    version: '1',
    start_node: ids[0] ?? '',
    nodes,
    edges: ids.map((from, i) => ({ from, to: ids[i + 1] ?? 'end' })),
  };
}

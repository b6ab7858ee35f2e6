import type { JsonObject } from '../../machines/json.ts';

type EdgeText = readonly [from: string, to: string, condition?: string];

/** A workflow document as a client posts it. Each node is given as its kind; other fields of the node are under `node`. */
export function ir(
  workflowId: string,
  nodes: Readonly<Record<string, JsonObject>>,
  edges: readonly EdgeText[],
  more: JsonObject = {},
): JsonObject {
  return {
    workflow_id: workflowId,
    version: '1',
    start_node: Object.keys(nodes)[0] ?? '',
    nodes: Object.fromEntries(
      Object.entries(nodes).map(([id, { node, ...kind }]) => [id, { id, kind, ...(node as JsonObject) }]),
    ),
    edges: edges.map(([from, to, condition]) => ({ from, to, ...(condition === undefined ? {} : { condition }) })),
    ...more,
  };
}

export const tool = (name: string, more: JsonObject = {}): JsonObject => ({ type: 'tool', tool_ref: name, ...more });
export const python = (name: string, more: JsonObject = {}): JsonObject => ({
  type: 'python_fn',
  module: 'm',
  function: name,
  ...more,
});

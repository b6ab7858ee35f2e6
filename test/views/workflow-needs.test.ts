import { describe, expect, it } from 'vitest';
import { workflowNeeds } from '../../src/views/workflow-needs.ts';

describe('what a workflow needs', () => {
  it('is told by kind and name, with the nodes that need it', () => {
    const nodes = {
      read: { kind: { type: 'mcp_tool', server: 'files', tool: 'read' } },
      ask: { kind: { type: 'model', model_ref: 'gpt-4o', prompt: 'Hi' } },
      pay: { kind: { type: 'tool', tool_ref: 'pay' } },
      again: { kind: { type: 'tool', tool_ref: 'pay' } },
      review: { kind: { type: 'human_approval', description: 'Fine?' } },
      wait: { kind: { type: 'wait', correlation_key: 'paid' } },
      child: { kind: { type: 'subgraph', workflow_ref: 'inner' } },
      code: { kind: { type: 'durable_function', function_ref: 'f', calls: ['inner', 'ship'] } },
    };
    const order = Object.keys(nodes);
    const edges = order.slice(1).map((to, at) => ({ from: order[at] ?? '', to }));
    const needs = workflowNeeds({ workflow_id: 'w', version: '1', start_node: 'read', nodes, edges });
    expect(needs.map(({ kind, name, queue, nodes }) => [kind, name, queue, nodes.join()])).toEqual([
      ['tool', 'pay', 'tool', 'pay,again'],
      ['model', 'gpt-4o', null, 'ask'],
      ['mcp_server', 'files', null, 'read'],
      ['workflow', 'inner', null, 'child,code'],
      ['workflow', 'ship', null, 'code'],
      ['event', 'paid', null, 'wait'],
      ['person', '', null, 'review'],
    ]);
  });
});

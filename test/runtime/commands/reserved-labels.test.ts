import { describe, expect, it } from 'vitest';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

const CHILD = {
  workflow_id: 'child',
  version: '1',
  nodes: { done: { kind: { type: 'tool', tool_ref: 'done' } } },
  edges: [],
};

describe('reserved labels', () => {
  it('are set by the runtime on children', async () => {
    const { runtime, run, settled } = await openTestRuntime({ tools: { done: () => ({}) } });
    await runtime.register(CALLER, CHILD);
    const node = { kind: { type: 'subgraph', workflow_ref: 'child' } };
    const id = await run({ workflow_id: 'parent', version: '1', nodes: { c: node }, edges: [] } as never);
    await settled(id);
    const { executions } = await runtime.executions('default', { limit: 2, labels: [{ key: 'jamjet.root', value: id }] });
    expect(executions.map(({ labels }) => labels['jamjet.parent.node'])).toEqual(['c']);
  });
});

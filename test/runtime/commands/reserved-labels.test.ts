import { describe, expect, it } from 'vitest';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

const REVISION = 'a'.repeat(64);
/** Registers a document as an earlier release would have. */
const STORED = {
  workflow_id: 'posing',
  version: '1',
  nodes: { done: { kind: { type: 'tool', tool_ref: 'done' } } },
  edges: [],
  labels: { team: 'blue', 'jamjet.root': 'exec_other', 'jamjet.parent.node': 'n' },
};

describe('reserved labels', () => {
  it('are left out of an execution of a stored revision that has them', async () => {
    const { store, runtime, clock, settled, close, path } = await openTestRuntime({ tools: { done: () => ({}) } });
    const action = { type: 'workflow_registered', workflowId: 'posing', version: '1', revision: REVISION } as const;
    const { tenantId, actorId, actorType } = CALLER;
    const context = { tenantId, actorId, actorType, atMs: clock.nowMs(), request: null };
    await store.control({ ...action, source: JSON.stringify(STORED) }, context);
    const { executionId } = await runtime.start(CALLER, { workflowId: 'posing' });
    expect(await settled(executionId)).toMatchObject({ status: 'completed', labels: { team: 'blue' } });
    const { executionId: fork } = await runtime.fork(CALLER, executionId, { atSequence: 1 });
    const { labels } = await settled(fork ?? '');
    expect(labels).toEqual({ team: 'blue', 'jamjet.fork.of': executionId, 'jamjet.fork.at': expect.any(String) });
    await close();
    const again = await openTestRuntime({ path, tools: { done: () => ({}) } });
    expect(await again.settled(executionId)).toMatchObject({ labels: { team: 'blue' } });
  });

  it('are set by the runtime on children, whatever their workflow says', async () => {
    const { runtime, run, settled } = await openTestRuntime({ tools: { done: () => ({}) } });
    await runtime.register(CALLER, { ...STORED, workflow_id: 'child', labels: {} });
    const node = { kind: { type: 'subgraph', workflow_ref: 'child' } };
    const id = await run({ workflow_id: 'parent', version: '1', nodes: { c: node }, edges: [] } as never);
    await settled(id);
    const { executions } = await runtime.executions('default', { limit: 2, labels: [{ key: 'jamjet.root', value: id }] });
    expect(executions.map(({ labels }) => labels['jamjet.parent.node'])).toEqual(['c']);
  });
});

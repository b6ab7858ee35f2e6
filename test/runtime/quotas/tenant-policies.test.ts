import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { ControlPlane } from '../../../src/control/control-plane.ts';
import { Outbound } from '../../../src/executors/outbound/index.ts';
import { databasePath, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const CONTEXT = { tenantId: 'default', atMs: 0, actorId: 'root', actorType: 'human', request: null } as const;
const PAY = {
  workflow_id: 'pay',
  version: '1',
  nodes: { pay: { kind: { type: 'tool', tool_ref: 'payments.submit' }, retry_policy: 'fast' } },
  edges: [],
};
const PARENT = {
  workflow_id: 'parent',
  version: '1',
  nodes: { sub: { kind: { type: 'subgraph', workflow_ref: 'pay' } } },
  edges: [],
};

async function setPolicy({ store, runtime, clock, errors }: TestRuntime, policy: JsonObject | null): Promise<void> {
  const onError = (error: unknown): void => void errors.push(error);
  const control = new ControlPlane({ store, runtime, outbound: new Outbound({ allowPrivateAddresses: true }), clock, onError });
  await control.tenants.update('default', { policy }, CONTEXT);
}

const paid: unknown[] = [];
const tools = {
  'payments.submit': () => {
    paid.push(1);
    return { paid: true };
  },
};

describe("a tenant's policy", () => {
  it('blocks tools of workflows that are registered already, from the next attempt on, and a retry once it is lifted', async () => {
    const bench = await openTestRuntime({ tools });
    expect(await bench.settled(await bench.run(PAY))).toMatchObject({ status: 'completed' });
    await setPolicy(bench, { blocked_tools: ['payments.*'] });
    const id = await bench.run(PAY);
    expect(await bench.settled(id)).toMatchObject({ status: 'failed', error: 'pay: blocked by policy: payments.submit' });
    expect(await bench.timeline(id)).toEqual(['workflow_started', 'policy_violation pay', 'node_failed pay', 'workflow_failed']);
    const caller = { tenantId: 'default', actorId: 'ann', actorType: 'human' } as const;
    await expect(bench.runtime.retry(caller, id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('node(s) pay are blocked by policy'),
    });
    await setPolicy(bench, null);
    await bench.runtime.retry(caller, id);
    expect(await bench.settled(id)).toMatchObject({ status: 'completed' });
    expect(bench.errors).toEqual([]);
  });

  it('holds a tool over a restart; approved, it runs', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path, tools });
    await setPolicy(first, { require_approval_for: ['payments.*'] });
    const id = await first.run(PAY);
    const before = paid.length;
    await first.close();

    const second = await openTestRuntime({ path, clock: first.clock, tools });
    expect((await second.runtime.approvals('default', id)).pending).toMatchObject([
      { nodeId: 'pay', kind: 'tool', toolName: 'payments.submit', context: { node_id: 'pay' } },
    ]);
    expect(paid.length).toBe(before);
    const caller = { tenantId: 'default', actorId: 'ann', actorType: 'human' } as const;
    await second.runtime.approve(caller, id, { decision: 'approved' });
    expect(await second.settled(id)).toMatchObject({ status: 'completed', state: { paid: true } });
    expect(paid.length).toBe(before + 1);
  });

  it('blocks child executions by the name of their workflow', async () => {
    const bench = await openTestRuntime({ tools });
    await bench.run(PAY);
    await setPolicy(bench, { blocked_tools: ['pay'] });
    expect(await bench.settled(await bench.run(PARENT))).toMatchObject({ error: 'sub: blocked by policy: pay' });
  });
});

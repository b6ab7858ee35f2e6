import { describe, expect, it } from 'vitest';
import { CALLER, openTestRuntime } from '../../support/runtimes.ts';

const LONE = '\ud800';
const asking = (id: string, more: object = {}) =>
  ({ workflow_id: 'w', version: '1', nodes: { [id]: { kind: { type: 'human_approval' } } }, edges: [], ...more }) as never;

describe('text that cannot be stored', () => {
  it('is refused in every request, with its place, and changes nothing', async () => {
    const { runtime, log } = await openTestRuntime();
    const refused = (call: Promise<unknown>, place: string) =>
      expect(call).rejects.toMatchObject({ message: expect.stringContaining(place) });
    await refused(runtime.register(CALLER, asking(`a${LONE}`)), 'nodes');
    await refused(runtime.register(CALLER, asking('a', { labels: { team: LONE } })), 'labels.team');
    await runtime.register(CALLER, asking('a'));
    const start = (more: object) => runtime.start(CALLER, { workflowId: 'w', ...more });
    await refused(start({ input: { deep: [{ [LONE]: 1 }] } }), 'input.deep[0]');
    await refused(start({ labels: { team: LONE } }), 'labels.team');
    await refused(start({ labels: { 'a\0': 'x' } }), 'NUL');
    await refused(start({ idempotencyKey: LONE }), 'idempotency_key');
    const { executionId: id } = await start({});
    const before = await log(id);
    await refused(runtime.sendEvent(CALLER, id, { key: LONE, payload: 1 }), 'correlation_key');
    await refused(runtime.sendEvent(CALLER, id, { key: 'k', payload: [LONE] }), 'payload[0]');
    await refused(runtime.approve(CALLER, id, { decision: 'approved', comment: LONE }), 'comment');
    await refused(runtime.approve(CALLER, id, { decision: 'approved', userId: 'a\0b' }), 'user_id');
    await refused(runtime.approve(CALLER, id, { decision: 'approved', statePatch: { [LONE]: 1 } }), 'state_patch');
    await refused(runtime.fork(CALLER, id, { atSequence: before.length, statePatch: { a: LONE } }), 'state_patch.a');
    await refused(runtime.cancel(CALLER, id, LONE), 'reason');
    await refused(runtime.pause(CALLER, id, 'a\0'), 'reason');
    expect(await log(id)).toEqual(before);
  });

  it('fails the node of a tool that returns it, and the log replays', async () => {
    const tools = {
      lone: () => ({ text: `x${LONE}` }),
      throws: () => {
        throw new Error(`broken\0${LONE}`);
      },
    };
    const { runtime, run, settled, log } = await openTestRuntime({ tools });
    for (const [tool_ref, text] of [
      ['lone', 'result.text: not valid Unicode'],
      ['throws', 'broken\ufffd\ufffd'],
    ]) {
      const nodes = { a: { kind: { type: 'tool', tool_ref }, retry_policy: { max_attempts: 1 } } };
      const id = await run({ workflow_id: String(tool_ref), version: '1', nodes, edges: [] } as never);
      expect(await settled(id)).toMatchObject({ status: 'failed' });
      expect((await log(id)).find(({ type }) => type === 'node_failed')?.data.error).toContain(text);
      expect(await runtime.replay('default', id)).toMatchObject({ mismatch: null });
    }
  });
});

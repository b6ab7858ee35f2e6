import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { Caller } from '../../../src/runtime/types/caller.ts';
import { CALLER, eventually, openTestRuntime } from '../../support/runtimes.ts';

const OTHER: Caller = { tenantId: 'other', actorId: 'tester', actorType: 'human' };
const workflow = (id: string, kind: JsonObject) => ({
  workflow_id: id,
  version: '1',
  nodes: { a: { kind } },
  edges: [{ from: 'a', to: 'end' }],
});

describe('while too much work of a tenant waits', () => {
  it('its requests are refused, those of others are not, and cancel, pause and rejections are admitted', async () => {
    const { runtime, run } = await openTestRuntime({ maxPending: 3, tools: { hang: () => new Promise(() => {}) } });
    const ask = await run(workflow('ask', { type: 'human_approval' }));
    const hang = workflow('hang', { type: 'tool', tool_ref: 'hang' });
    const ids = [await run(hang)];
    for (let i = 0; i < 3; i += 1) ids.push((await runtime.start(CALLER, { workflowId: 'hang' })).executionId);
    await expect(runtime.start(CALLER, { workflowId: 'hang' })).rejects.toMatchObject({
      code: 'overloaded',
      message: 'too much work of tenant default is waiting',
    });
    await expect(runtime.approve(CALLER, ask, { decision: 'approved' })).rejects.toMatchObject({ code: 'overloaded' });

    await runtime.register(OTHER, hang);
    expect(await runtime.start(OTHER, { workflowId: 'hang' })).toMatchObject({ replayed: false });
    await runtime.pause(CALLER, ids[0] ?? '');
    await runtime.approve(CALLER, ask, { decision: 'rejected' });
    for (const id of ids) await runtime.cancel(CALLER, id);
    expect((await runtime.start(CALLER, { workflowId: 'hang' })).replayed).toBe(false);
  });
});

describe('a cancel', () => {
  it('is processed before the messages that wait for the same execution', async () => {
    const { runtime, run, log } = await openTestRuntime();
    const id = await run(workflow('wait', { type: 'wait', condition: 'external_event', correlation_key: 'other' }));
    const events = Array.from({ length: 500 }, (_, i) =>
      runtime.sendEvent(CALLER, id, { key: 'k', payload: i }).then(
        () => 'taken',
        (error: { code: string }) => error.code,
      ),
    );
    const cancelled = runtime.cancel(CALLER, id);
    const outcomes = await Promise.all(events);
    await cancelled;
    expect(outcomes.filter((outcome) => outcome === 'conflict').length).toBeGreaterThan(400);
    await eventually(async () => (await log(id)).at(-1)?.type === 'workflow_cancelled');
  });
});

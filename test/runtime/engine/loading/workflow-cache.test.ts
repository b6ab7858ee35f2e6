import { describe, expect, it } from 'vitest';
import { CALLER, openTestRuntime } from '../../../support/runtimes.ts';

const wait = (version: string, timeout: number) => ({
  workflow_id: 'w',
  version,
  start_node: 'wait',
  nodes: { wait: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'wake', timeout_secs: timeout } } },
  edges: [{ from: 'wait', to: 'end' }],
});

describe('the workflow cache', () => {
  it('finds the latest version and a changed one as soon as they are registered', async () => {
    const { runtime } = await openTestRuntime();
    const start = async (version?: string): Promise<string> => {
      const { executionId } = await runtime.start(CALLER, { workflowId: 'w', ...(version === undefined ? {} : { version }) });
      return (await runtime.execution('default', executionId)).revision;
    };
    const first = await runtime.register(CALLER, wait('1', 10));
    expect([await start(), await start('1'), await start()]).toEqual([first.revision, first.revision, first.revision]);
    const second = await runtime.register(CALLER, wait('2', 20));
    expect([await start(), await start('1'), await start('2')]).toEqual([second.revision, first.revision, second.revision]);
    await expect(start('3')).rejects.toMatchObject({ code: 'not_found' });
    await expect(start('')).rejects.toMatchObject({ code: 'not_found' });
    const third = await runtime.register(CALLER, wait('3', 30));
    expect([await start('3'), await start()]).toEqual([third.revision, third.revision]);
  });

  it('keeps the workflows of tenants apart', async () => {
    const { runtime } = await openTestRuntime();
    const other = { ...CALLER, tenantId: 'other' };
    await runtime.register(CALLER, wait('1', 10));
    await runtime.start(CALLER, { workflowId: 'w' });
    await expect(runtime.start(other, { workflowId: 'w' })).rejects.toMatchObject({ code: 'not_found' });
  });
});

import { existsSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRuntime, openSqlite, type Store, workflow } from '../../src/index.ts';
import { createServer, readConfig } from '../../src/library/server.ts';
import { engineStore } from '../../src/library/store.ts';

const waiting = workflow({ id: 'waiting', nodes: { hold: { type: 'wait', event: 'go' } } });

async function running(store: Store) {
  const runtime = await createRuntime({ store, workflows: [waiting] });
  onTestFinished(() => runtime.close());
  return runtime;
}

async function inMemory(): Promise<Store> {
  const store = await openSqlite({ path: ':memory:' });
  onTestFinished(() => store.close());
  return store;
}

describe('a database in memory', () => {
  it('runs workflows, and writes no file', async () => {
    const runtime = await running(await inMemory());
    const execution = await runtime.start(waiting, {});
    expect((await execution.settled()).status).toBe('paused');
    await execution.sendEvent('go', {});
    expect((await execution.settled()).status).toBe('completed');
    expect(existsSync(':memory:')).toBe(false);
  });

  it('is another one each time that it is opened', async () => {
    const [one, other] = [await inMemory(), await inMemory()];
    const { executionId } = await (await running(one)).start(waiting, {});
    await expect((await running(other)).execution(executionId)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('is continued by the next runtime on the store', async () => {
    const store = await inMemory();
    const first = await running(store);
    const { executionId } = await first.start(waiting, {});
    await first.settled(executionId);
    await first.close();
    const second = await running(store);
    await second.sendEvent(executionId, { key: 'go', payload: {} });
    expect((await second.settled(executionId)).status).toBe('completed');
  });

  it('is one that a server of a program works on', async () => {
    const config = { ...readConfig({ JAMJET_LOG: 'silent' }), database: { engine: 'sqlite', path: ':memory:' } } as const;
    const { app, runtime, close } = await createServer({ config, auth: 'off' });
    onTestFinished(() => close());
    await runtime.register(waiting);
    const { executionId } = await runtime.start('waiting', {});
    await runtime.settled(executionId);
    expect((await app.inject(`/executions/${executionId}`)).json()).toMatchObject({ status: 'paused' });
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
    expect((await app.inject('/audit')).statusCode).toBe(200);
    expect(existsSync(':memory:')).toBe(false);
  });

  it('has an audit log that is listed, exported and verified while the runtime goes on', async () => {
    const store = await inMemory();
    const runtime = await running(store);
    const { executionId } = await runtime.start(waiting, {});
    const { audit, verifyAudit } = engineStore(store);
    const found = audit.find('default', {}, { limit: 100, offset: 0, after: null });
    const verified = verifyAudit.call(store);
    await runtime.sendEvent(executionId, { key: 'go', payload: {} });
    const { entries, total } = await found;
    const types: string[] = [];
    for await (const { type } of entries) types.push(type);
    expect(types).toContain('workflow_started');
    expect(types).toHaveLength(total);
    expect(await verified).toMatchObject({ fault: null });
  });
});

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ToolContext } from '../../src/runtime/types/work.ts';
import { createWorker } from '../../src/worker/index.ts';
import { startServer } from '../support/in-process-server.ts';
import { launchServer, temporaryFolder } from '../support/server.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

const run = promisify(execFile);

const QUOTE = {
  workflow_id: 'quote',
  version: '1',
  nodes: { draft: { kind: { type: 'tool', tool_ref: 'draft_quote', output_key: 'quote' } } },
  edges: [{ from: 'draft', to: 'end' }],
};

describe('an external worker', () => {
  it('does the work of the example', async () => {
    const server = await launchServer({ folder: temporaryFolder(onTestFinished) }).ready;
    const env = { PATH: process.env.PATH, JAMJET_URL: server.url, JAMJET_TOKEN: server.token };
    const { stdout, stderr } = await run(process.execPath, [resolve('examples/library/worker.mjs')], { env });
    expect(stdout).toMatch(/^completed \{[\s\S]*total: 36\s*\}\n$/);
    expect(stderr).toContain('"message":"quote drafted"');
  });

  it('goes on when its server is killed and restarted: a tool that runs meanwhile is called once', async () => {
    const folder = temporaryFolder(onTestFinished);
    const first = await launchServer({ folder }).ready;
    const proxy = await openTcpProxy(Number(new URL(first.url).port));
    const attempts: ToolContext[] = [];
    let finish: (value: object) => void = () => {};
    const draft_quote = (_input: unknown, context: ToolContext) =>
      new Promise((done) => {
        attempts.push(context);
        finish = done;
      });
    const worker = createWorker({ url: proxy.via(`${first.url}/`), token: first.token, tools: { draft_quote }, onLog: () => {} });
    onTestFinished(() => worker.stop({ timeoutMs: 0 }));
    await worker.connected;
    await first.client.registerWorkflow(QUOTE);
    const { execution_id: id } = await first.client.start({ workflow_id: 'quote' });
    await expect.poll(() => attempts.length).toBe(1);
    await first.kill();
    finish({ total: 42 });
    const second = await startServer({ folder });
    proxy.redirect(Number(new URL(second.url).port));
    expect(await second.client.execution(id, { waitMs: 60_000 })).toMatchObject({
      status: 'completed',
      state: { quote: { total: 42 } },
    });
    const next = await second.client.start({ workflow_id: 'quote' });
    await expect.poll(() => attempts.length).toBe(2);
    finish({});
    expect((await second.client.execution(next.execution_id, { waitMs: 30_000 })).status).toBe('completed');
    expect(attempts.map(({ executionId, attempt }) => [executionId, attempt])).toEqual([
      [id, 0],
      [next.execution_id, 0],
    ]);
  });
});

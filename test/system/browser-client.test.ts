import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { browserBundle } from '../support/browser-bundle.ts';
import { requires } from '../support/requirements.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const APP = `
  import { ApiError, JamjetClient } from 'jamjet-runtime/client';

  globalThis.run = async (token) => {
    const client = new JamjetClient({ url: location.origin, token });
    const nodes = { ask: { kind: { type: 'human_approval' } } };
    await client.registerWorkflow({ workflow_id: 'asking', version: '1', nodes, edges: [] });
    const { execution_id: id } = await client.start({ workflow_id: 'asking' });
    const { status } = await client.execution(id, { waitMs: 30_000 });
    await client.approve(id, { decision: 'approved' });
    const kinds = [];
    for await (const message of client.live.feed(id)) if ('event' in message) kinds.push(message.event.kind);
    const unknown = await client.execution('exec_unknown').catch((error) => error instanceof ApiError && error.status);
    return { status, last: kinds.at(-1), unknown };
  };
`;

it('a page built by Vite calls the server with the client', requires('chromium'), async () => {
  const folder = temporaryFolder(onTestFinished);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(resolve('.'), join(folder, 'node_modules', 'jamjet-runtime'));
  writeFileSync(join(folder, 'app.js'), APP);
  const { builtins, code, gzipBytes } = await browserBundle(join(folder, 'app.js'));
  expect(builtins).toEqual([]);
  expect(gzipBytes).toBeLessThan(15 * 1024);

  const { url, token } = await startServer({ folder });
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.route(`${url}/page`, (route) =>
    route.fulfill({ contentType: 'text/html', body: '<script type="module" src="/app.js"></script>' }),
  );
  await page.route(`${url}/app.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: code }));
  await page.goto(`${url}/page`);
  const result = await page.evaluate(`run(${JSON.stringify(token)})`);
  expect(result).toEqual({ status: 'paused', last: 'WorkflowCompleted', unknown: 404 });
  expect(problems).toEqual([]);
});

import { describe, expect, it, onTestFinished } from 'vitest';
import type { JamjetClient } from '../../src/client/index.ts';
import { consoleBrowser } from '../support/browser.ts';
import { type Server, startServer } from '../support/in-process-server.ts';
import { ir } from '../support/ir.ts';
import { requires } from '../support/requirements.ts';
import { temporaryFolder } from '../support/server.ts';

const REVIEW = ir('reviewed', { review: { type: 'human_approval', description: 'Go on?' } }, [['review', 'end']]);

/** What the browser says of a server that is unreachable. */
const AWAY = /ERR_|Failed to load|net::|preload|dynamically imported/;

/** A browser that has the files of no page yet. */
const NOTHING_LOADED = {};

async function startedReview(client: JamjetClient): Promise<string> {
  await client.registerWorkflow(REVIEW);
  const { execution_id } = await client.start({ workflow_id: 'reviewed', input: {} });
  await client.execution(execution_id, { waitMs: 20_000 });
  return execution_id;
}

describe('the console while the server is unreachable', requires('chromium'), () => {
  const open = consoleBrowser();

  async function startedServer(): Promise<{ readonly server: Server; readonly restart: () => Promise<Server> }> {
    const folder = temporaryFolder(onTestFinished);
    const server = await startServer({ folder });
    return { server, restart: () => startServer({ folder, port: Number(new URL(server.url).port) }) };
  }

  it('keeps the open dialog of a fork, which succeeds once when the server is back', async () => {
    const { server, restart } = await startedServer();
    const id = await startedReview(server.client);
    await server.client.approve(id, { decision: 'approved' });
    await server.client.execution(id, { waitMs: 20_000 });
    const { url, token } = server;
    const page = await open({ url, token, path: `/executions/${id}?fork=1`, expected: AWAY });
    const dialog = page.getByRole('dialog');
    const fork = dialog.getByRole('button', { name: 'Fork', exact: true });
    await expect.poll(() => fork.isEnabled()).toBe(true);
    await server.kill();
    await page.getByText('Offline').waitFor();
    await fork.click();
    await dialog.getByText('The server cannot be reached.').first().waitFor();

    const { client } = await restart();
    // What the dialog has to know before it forks is read again.
    await expect.poll(() => fork.isEnabled()).toBe(true);
    await fork.click();
    await expect.poll(() => page.url()).not.toContain(id);
    expect((await client.executions({ workflow_id: 'reviewed' })).executions).toHaveLength(2);
  });

  it('says that a page cannot be loaded, shows the others, and loads it when the server is back', async () => {
    const { server, restart } = await startedServer();
    const { url, token } = server;
    const page = await open({ url, token, path: '/tokens', context: NOTHING_LOADED, expected: AWAY });
    await page.getByRole('table', { name: 'Tokens' }).waitFor();
    await server.kill();
    await page.getByText('Offline').waitFor();
    const sections = page.getByRole('navigation', { name: 'Sections' });
    await sections.getByRole('link', { name: 'Cron' }).click();
    const notLoaded = page.getByText('This page could not be loaded');
    await notLoaded.waitFor();
    await sections.getByRole('link', { name: 'Tokens' }).click();
    await page.getByRole('table', { name: 'Tokens' }).waitFor();
    await sections.getByRole('link', { name: 'Cron' }).click();
    await notLoaded.waitFor();

    await restart();
    await page.getByText('There are no cron jobs').waitFor();
  });

  it('works with a server on this machine when the browser is without a network', async () => {
    const { server } = await startedServer();
    const id = await startedReview(server.client);
    const page = await open({ url: server.url, token: server.token, path: '/tokens' });
    await page.getByRole('table', { name: 'Tokens' }).waitFor();
    await page.evaluate("dispatchEvent(new Event('offline'))");
    await page.getByRole('link', { name: 'Approvals' }).click();
    await page.getByRole('listbox').getByRole('option').click();
    await page.getByRole('button', { name: /^Approve …/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
    await expect.poll(async () => (await server.client.execution(id)).status).toBe('completed');
  });
});

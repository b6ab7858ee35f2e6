import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { column, expectAccessible, HOSTILE, HOSTILE_SHOWN, tokenOf } from '../support/console-page.ts';
import { replaceText } from '../support/editor.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

describe('the pages of agents', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();

  beforeAll(async () => {
    const { client } = server();
    const capabilities = { skills: [{ name: 'research' }], protocols: ['a2a'] };
    await client.agents.register({ id: 'research/agent', uri: 'http://localhost:7701', name: 'Research Agent', capabilities });
    await client.agents.register({ id: 'evil', uri: 'http://x', name: HOSTILE, description: 'x'.repeat(30_000) });
  });

  it('lists the agents of the API, filtered by the URL', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/agents' });
    await page.getByRole('link', { name: HOSTILE_SHOWN }).waitFor();
    const { agents } = await client.agents.list();
    expect(await column(page, 'Agents', 'Status')).toEqual(agents.map(({ status }) => status));
    await page.getByLabel('Skill').fill('research');
    await expect.poll(() => column(page, 'Agents', 'Skills')).toEqual(['research']);
    expect(page.url()).toContain('skill=research');
    await page.getByLabel('Protocol').selectOption('mcp');
    await page.getByText('No agent matches').waitFor();
  });

  it('shows an agent with its card and trace, and moves it through its life', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/agents' });
    await page.getByRole('link', { name: 'Research Agent' }).click();
    await page.getByRole('button', { name: 'Activate' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    // Both an active and a paused agent can be deactivated.
    await page.getByText('paused', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Deactivate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deactivate' }).click();
    await page.getByRole('button', { name: 'Archive' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
    await page.getByText('archived', { exact: true }).waitFor();
    expect((await client.agents.get('research/agent')).status).toBe('archived');
    const { events } = await client.agents.trace('research/agent');
    expect(events).toHaveLength(5);
    await expect.poll(() => column(page, 'Trace', 'Event')).toEqual(events.map(({ summary }) => summary));
    await page.getByText('"uri": "http://localhost:7701"').waitFor();
  });

  it('registers an agent by its card, which is checked while it is typed', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/agents' });
    await page.getByRole('button', { name: 'Register a card' }).click();
    const editor = page.getByRole('textbox', { name: 'Card' });
    await replaceText(editor, '{"id": "pricing"}');
    await page.getByText('"name" must be a text.').first().waitFor();
    expect(await page.getByRole('button', { name: 'Register', exact: true }).isDisabled()).toBe(true);
    await replaceText(editor, '{"id": "pricing", "name": "Pricing", "uri": "http://localhost:7702", "team": {"lead": "Ann"}}');
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    await page.getByRole('heading', { name: 'Pricing' }).waitFor();
    expect((await client.agents.get('pricing')).card).toMatchObject({ team: { lead: 'Ann' } });
  });

  it('discovers an agent by its URL, and says why there is none', async () => {
    const { url, token, client } = server();
    const http = createServer((request, response) => {
      if (request.url !== '/.well-known/agent-card.json') response.writeHead(404).end();
      else response.end(JSON.stringify({ id: 'found', name: 'Found Agent', url: 'http://found', skills: [] }));
    });
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    onTestFinished(() => void http.close());
    const page = await open({ url, token, path: '/agents', expected: /502/ });
    await page.getByRole('button', { name: 'Discover by URL' }).click();
    await page.getByLabel('URL').fill('http://127.0.0.1:1/');
    await page.getByRole('button', { name: 'Discover', exact: true }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByLabel('URL').fill(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    await page.getByRole('button', { name: 'Discover', exact: true }).click();
    await page.getByRole('heading', { name: 'Found Agent' }).waitFor();
    expect((await client.agents.get('found')).name).toBe('Found Agent');
  });

  it('shows viewers no actions, and a long description cut', async () => {
    const { url, client } = server();
    const { uuid } = await client.agents.get('evil');
    const page = await open({ url, token: await tokenOf(server(), 'viewer'), path: `/agents/${uuid}` });
    await page.getByRole('heading', { name: HOSTILE_SHOWN }).waitFor();
    const buttons = await page.getByRole('main').getByRole('button').allTextContents();
    expect(buttons.filter((text) => !/Copy|Download/.test(text))).toEqual([]);
    expect((await page.content()).length).toBeLessThan(50_000);
  });

  it('is accessible in both themes and on a phone', async () => {
    const { uuid } = await server().client.agents.get('research/agent');
    await expectAccessible(open, server(), ['/agents', 'Research Agent'], [`/agents/${uuid}`, 'Trace']);
  });
});

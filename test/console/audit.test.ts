import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { column, expectAccessible, HOSTILE, HOSTILE_SHOWN, tokenOf } from '../support/console-page.ts';
import { editLog } from '../support/edit-log.ts';
import { sharedServer, startServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';
import { temporaryFolder } from '../support/server.ts';

const WORKFLOW = {
  workflow_id: 'quote',
  version: '1',
  nodes: { draft: { kind: { type: 'tool', tool_ref: 'draft_quote' } } },
  edges: [{ from: 'draft', to: 'end' }],
};

describe('the audit page', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();
  let id = '';

  beforeAll(async () => {
    const { client } = server();
    await client.registerWorkflow(WORKFLOW);
    for (let count = 0; count < 60; count++) await client.start({ workflow_id: 'quote', input: {} });
    id = (await client.start({ workflow_id: 'quote', input: {} })).execution_id;
    await client.cancel(id, HOSTILE);
    await client.createToken({ role: 'viewer', name: HOSTILE });
  });

  it('lists what the API lists, page by page, and an entry in full', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/audit' });
    const { items, total } = await client.audit.list({ limit: 200 });
    await page.getByText(`${total} entries`).waitFor();
    expect(await column(page, 'Audit log', 'Event')).toEqual(items.slice(0, 100).map(({ event_type }) => event_type));
    await page.getByRole('button', { name: 'Show older ones' }).click();
    await page.getByRole('button', { name: 'Show older ones' }).waitFor({ state: 'hidden' });
    expect(await column(page, 'Audit log', 'Event')).toEqual(items.map(({ event_type }) => event_type));

    const created = items.find(({ event_type }) => event_type === 'token_created');
    await page.getByRole('button', { name: `Show token_created ${created?.id}` }).click();
    await page.getByRole('dialog').getByText(HOSTILE_SHOWN).first().waitFor();
    await page.getByRole('dialog').getByText('POST /tokens').waitFor();
  });

  it('keeps its filters in the URL, and offers newer entries without moving', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/audit' });
    await page.getByLabel('Execution').fill(id);
    await page.keyboard.press('Enter');
    await page.getByLabel('Event type').fill('workflow_cancelled');
    await page.keyboard.press('Enter');
    await page.getByText('1 entry').waitFor();
    expect(page.url()).toBe(`${url}/#/audit?execution_id=${id}&event_type=workflow_cancelled`);
    await page.reload();
    await page.getByText('1 entry').waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    const { total } = await client.audit.list();
    await page.getByText(`${total} entries`).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    await page.getByLabel('Event type').fill('workflow_started');
    await page.keyboard.press('Enter');
    await page.getByText('61 entries').waitFor();
    await client.start({ workflow_id: 'quote', input: {} });
    await page.getByRole('button', { name: 'Show 1 newer' }).click();
    await page.getByText('62 entries').waitFor();
    await page.getByLabel('From').fill('2100-01-01T00:00');
    await page.getByText('No entry matches').waitFor();
  });

  it('verifies the chain', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/audit' });
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await page.getByText('verified', { exact: true }).waitFor();
    const { head, blocks } = await client.audit.verify();
    await page.getByText(head).waitFor();
    await page.getByText(blocks.toLocaleString(), { exact: true }).waitFor();
  });

  it('names the first fault of a log that was changed', async () => {
    const folder = temporaryFolder(onTestFinished);
    const { url, token, client } = await startServer({ folder });
    await client.registerWorkflow(WORKFLOW);
    const { execution_id: changed } = await client.start({ workflow_id: 'quote', input: {} });
    editLog(join(folder, 'runtime.db'), changed, (event) => (event.seq === 1 ? { ...event, actorId: 'mallory' } : event));
    const page = await open({ url, token, path: '/audit' });
    await page.getByRole('button', { name: 'Verify the chain' }).click();
    await page.getByText('rows of the log were changed').waitFor();
    await page.getByRole('link', { name: changed, exact: true }).waitFor();
    const { fault } = await client.audit.verify();
    await page.getByText(`block ${fault?.block}:`).waitFor();
  });

  it('exports to a file: as it arrives where the browser can, else as a download', async () => {
    const { url, token, client } = server();
    const parts: Uint8Array[] = [];
    for await (const part of client.audit.export()) parts.push(part);
    // Its first and its last line hold the time of the export.
    const entriesOf = (text: string) => text.trimEnd().split('\n').slice(1, -1);
    const exported = entriesOf(Buffer.concat(parts).toString());
    expect(exported.length).toBeGreaterThan(60);

    const page = await open({ url, token, path: '/audit' });
    // The dialog of the browser cannot be operated here: the file is one of the origin's private file system.
    await page.evaluate(`window.showSaveFilePicker = async ({ suggestedName }) => {
      window.saved = await (await navigator.storage.getDirectory()).getFileHandle(suggestedName, { create: true });
      return window.saved;
    }`);
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByText('The audit log is exported').waitFor();
    const saved = await page.evaluate('window.saved.getFile().then((file) => file.text())');
    expect(entriesOf(String(saved))).toEqual(exported);

    await page.evaluate('window.showSaveFilePicker = undefined');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^audit-default-\d{4}-\d\d-\d\d\.jsonl$/);
    expect(entriesOf(readFileSync(await file.path(), 'utf8'))).toEqual(exported);
  });

  it('shows other roles neither verification nor export', async () => {
    const { url } = server();
    const page = await open({ url, token: await tokenOf(server(), 'developer'), path: '/audit' });
    await page.getByRole('table', { name: 'Audit log' }).waitFor();
    expect(await page.getByRole('button', { name: /Verify|Export/ }).count()).toBe(0);
  });

  it('is accessible in both themes and on a phone', () =>
    expectAccessible(open, server(), ['/audit?event_type=token_created', 'POST /tokens']));
});

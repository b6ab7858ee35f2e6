import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { column, expectAccessible, HOSTILE, HOSTILE_SHOWN, tokenOf } from '../support/console-page.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

/** Waits for a worker, which never comes. */
const WORKFLOW = {
  workflow_id: 'quote',
  version: '1',
  nodes: { draft: { kind: { type: 'tool', tool_ref: 'draft_quote' } } },
  edges: [{ from: 'draft', to: 'end' }],
};

/** A receiver that refuses messages until it is repaired. */
class Receiver {
  readonly bodies: string[] = [];
  isBroken = true;
  readonly #http: HttpServer = createServer(
    (request, response) => void this.#answer(request).then((status) => response.writeHead(status).end(HOSTILE)),
  );

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#http.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/hook`;
  }

  close(): Promise<void> {
    return new Promise((done) => this.#http.close(() => done()));
  }

  async #answer(request: IncomingMessage): Promise<number> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.bodies.push(body);
    return this.isBroken ? 410 : 200;
  }
}

describe('the pages of webhooks', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();
  const receiver = new Receiver();
  let target = '';

  beforeAll(async () => {
    target = await receiver.listen();
    await server().client.registerWorkflow(WORKFLOW);
  });
  afterAll(() => receiver.close());
  /** The id of a webhook to which an event is delivered. */
  const withDelivery = async (): Promise<string> => {
    const { client } = server();
    const { id } = await client.webhooks.create({ url: target, events: ['WorkflowStarted'] });
    await client.start({ workflow_id: 'quote', input: {} });
    return id;
  };

  it('creates a webhook whose secret is shown once, pings it, and sends failed deliveries again', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/webhooks' });
    await page.getByText('There are no webhooks').waitFor();
    await page.getByRole('button', { name: 'New webhook' }).click();
    await page.getByLabel('URL').fill(target);
    await page.getByLabel('Events').fill('WorkflowStarted');
    await page.getByLabel('Description').fill(HOSTILE);
    await page.getByRole('button', { name: 'Create' }).click();
    const secret = await page.getByLabel('Secret', { exact: true }).inputValue();
    expect(secret).toMatch(/^whsec_/);
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('cell', { name: HOSTILE_SHOWN }).waitFor();
    const [webhook] = (await client.webhooks.list()).webhooks;
    expect(webhook).toMatchObject({ url: target, events: ['WorkflowStarted'], enabled: true });

    await page.getByRole('link', { name: target }).click();
    await page.getByRole('button', { name: 'Send a ping' }).click();
    await page.getByText(/HTTP 410 after/).waitFor();

    // The stream of events says that there is a delivery.
    const { execution_id: id } = await client.start({ workflow_id: 'quote', input: {} });
    await page.getByRole('cell', { name: 'failed' }).waitFor();
    await page.getByText('disabled', { exact: true }).waitFor();
    const { deliveries } = await client.webhooks.deliveries(webhook?.id ?? '');
    expect(await column(page, 'Deliveries', 'Attempts')).toEqual(deliveries.map(({ attempts }) => String(attempts)));
    await page.getByRole('button', { name: `Show delivery ${deliveries[0]?.id}` }).click();
    await page.getByRole('dialog').getByText('HTTP 410', { exact: true }).waitFor();
    await page.getByRole('dialog').getByText(`"execution_id": "${id}"`).first().waitFor();
    const shown = JSON.parse((await page.getByRole('dialog').locator('pre').textContent()) ?? '') as unknown;
    expect(shown).toEqual(JSON.parse(receiver.bodies.at(-1) ?? ''));
    await page.keyboard.press('Escape');

    receiver.isBroken = false;
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByText('disabled', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Send all failed again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
    await page.getByText('1 failed deliveries are sent again.').waitFor();
    await page.getByRole('cell', { name: 'delivered' }).waitFor();
    const sent = receiver.bodies.length;
    await page.getByRole('button', { name: `Send delivery ${deliveries[0]?.id} again` }).click();
    await expect.poll(() => receiver.bodies.length).toBe(sent + 1);

    await page.getByLabel('Status').selectOption('failed');
    await page.getByText('No delivery is failed.').waitFor();
    expect(page.url()).toContain('status=failed');
  });

  it('edits a webhook, rotates its secret and deletes it', async () => {
    const { url, token, client } = server();
    const { id, secret } = await client.webhooks.create({ url: `${target}/other` });
    const page = await open({ url, token, path: `/webhooks/${id}` });
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Workflow').fill('quote');
    await page.getByLabel('Enabled').uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('disabled', { exact: true }).waitFor();
    expect(await client.webhooks.get(id)).toMatchObject({ workflow_id: 'quote', enabled: false, events: ['*'] });

    await page.getByRole('button', { name: 'Rotate secret' }).click();
    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    const rotated = await page.getByLabel('Secret', { exact: true }).inputValue();
    expect([rotated.startsWith('whsec_'), rotated === secret]).toEqual([true, false]);
    await page.getByRole('button', { name: 'Done' }).click();

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Webhooks', level: 1 }).waitFor();
    await page.getByText('The webhook is deleted.').waitFor();
    await expect(client.webhooks.get(id)).rejects.toMatchObject({ status: 404 });
  });

  it('shows viewers no actions', async () => {
    const { url } = server();
    const token = await tokenOf(server(), 'viewer');
    const page = await open({ url, token, path: `/webhooks/${await withDelivery()}` });
    await page.getByRole('table', { name: 'Deliveries' }).waitFor();
    const buttons = await page.getByRole('main').getByRole('button').allTextContents();
    expect(new Set(buttons)).toEqual(new Set(['Show']));
  });

  it('is accessible in both themes and on a phone', async () => {
    const id = await withDelivery();
    await expectAccessible(open, server(), ['/webhooks', target], [`/webhooks/${id}`, 'WorkflowStarted (1)']);
  });
});

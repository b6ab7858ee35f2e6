import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { accessibilityProblems } from '../support/accessibility.ts';
import { consoleBrowser } from '../support/browser.ts';
import { expectAccessibleInBothThemes, expectAccessibleOnPhone } from '../support/console-page.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { approveFirst, scrollToEnd, startApprovals } from '../support/long-inbox.ts';
import { TRIES_ALL } from '../support/properties.ts';
import { requires } from '../support/requirements.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const REFUND = {
  workflow_id: 'refund',
  version: '1',
  nodes: { review: { kind: { type: 'human_approval', description: 'Refund {{ state.amount }}?', timeout_secs: 7_200 } } },
  edges: [],
};
const HELD = {
  workflow_id: 'held',
  version: '1',
  nodes: {
    pay: {
      kind: { type: 'tool', tool_ref: 'pay', input_mapping: { total: 'state.amount' } },
      policy: { require_approval_for: ['pay'] },
    },
  },
  edges: [],
};
const HOSTILE = '<script>alert(1)</script>\u202egnp.exe';
/** More than one page of the list, and more than two in `npm run test:all`. */
const MANY = TRIES_ALL ? 450 : 250;

describe('the inbox of approvals', requires('chromium'), () => {
  const server = sharedServer();
  // After the pages are closed, since those would show it.
  afterEach(async () => {
    const { client } = server();
    const { approvals } = await client.approvalInbox({ limit: 500 });
    await Promise.all(approvals.map(({ execution_id }) => client.cancel(execution_id)));
  });
  const open = consoleBrowser();

  const start = async (ir: { readonly workflow_id: string }, input: Record<string, unknown>): Promise<string> => {
    const { client } = server();
    await client.registerWorkflow(ir as never);
    return (await client.start({ workflow_id: ir.workflow_id, input: input as never })).execution_id;
  };
  const inbox = async (token = server().token): Promise<Page> => {
    const page = await open({ url: server().url, token, path: '/approvals' });
    await page.getByRole('listbox', { name: 'Pending approvals' }).waitFor();
    return page;
  };
  const decisionOf = async (id: string) => (await server().client.approvals(id)).decided[0];

  it('is worked through by keyboard alone', async () => {
    const ids: string[] = [];
    for (const amount of [1, 2, 3, 4]) ids.push(await start(REFUND, { amount }));
    const page = await inbox();
    const selected = page.getByRole('listbox').getByRole('option', { selected: true });
    await expect.poll(() => selected.textContent()).toContain('Refund 1?');
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('k');
    await expect.poll(() => selected.textContent()).toContain('Refund 2?');

    await page.keyboard.press('a');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => decisionOf(ids[1] ?? '')).toMatchObject({ status: 'approved' });
    // The one that was decided stays where it was; the next one is selected.
    await page.getByRole('option', { name: /Refund 2\?.*approved/ }).waitFor();
    await expect.poll(() => selected.textContent()).toContain('Refund 3?');

    await page.keyboard.press('r');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type('too much');
    await page.keyboard.press('Control+Enter');
    await expect.poll(() => decisionOf(ids[2] ?? '')).toMatchObject({ status: 'rejected', comment: 'too much' });
    await expect.poll(() => selected.textContent()).toContain('Refund 4?');

    await page.keyboard.press('r');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain(`/#/executions/${ids[3]}`);
    expect(await decisionOf(ids[3] ?? '')).toBeUndefined();
  });

  it('shows what comes and goes as it happens, with the number that the API counts', async () => {
    await start(REFUND, { amount: 1 });
    const page = await inbox();
    const link = page.getByRole('navigation').getByRole('link', { name: 'Approvals' });
    await expect.poll(() => link.textContent()).toBe('Approvals1');
    const id = await start(HELD, { amount: 2 });
    const held = page.getByRole('option', { name: /Run pay\?/ });
    await held.click();
    await page.getByLabel('Selected approval').getByText('"total": 2').waitFor();
    await expect.poll(() => link.textContent()).toBe(`Approvals${(await server().client.approvalCounts()).pending}`);
    await server().client.cancel(id);
    await page.getByText('It no longer waits').waitFor();
    await expect.poll(() => link.textContent()).toBe('Approvals1');
    await page.getByRole('tab', { name: 'Decided' }).click();
    const decided = (await server().client.approvalInbox({ status: 'decided' })).approvals.length;
    await expect.poll(() => page.getByRole('row').count()).toBe(decided === 0 ? 0 : decided + 1);
  });

  it('says when another person was faster', async () => {
    const id = await start(REFUND, { amount: 1 });
    await start(REFUND, { amount: 2 });
    const [first, second] = [await inbox(), await inbox()];
    await first.keyboard.press('a');
    await first.getByRole('dialog').waitFor();
    await second.keyboard.press('r');
    await second.getByRole('dialog').waitFor();
    await second.keyboard.press('Control+Enter');
    await first.getByRole('dialog').getByText('Meanwhile it was rejected by dev.').waitFor();
    expect(await first.getByRole('dialog').getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true);
    await first.keyboard.press('Escape');
    await first.getByRole('option', { name: /Refund 1\?.*rejected by dev/ }).waitFor();
    expect(await decisionOf(id)).toMatchObject({ status: 'rejected' });
  });

  it('explains a decision that came too late before the page could know', async () => {
    const id = await start(REFUND, { amount: 1 });
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/', expected: /409/ });
    // The page learns nothing from now on.
    await page.route('**/events/stream**', () => {});
    await page.reload();
    await page.getByRole('link', { name: 'Approvals' }).click();
    await page.getByRole('option', { name: /Refund 1\?/ }).waitFor();
    await client.approve(id, { decision: 'rejected' });
    await page.keyboard.press('a');
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog').getByRole('alert').getByText('Meanwhile it was rejected by dev.').waitFor();
  });

  it('lets a viewer look and not decide', async () => {
    await start(REFUND, { amount: 1 });
    const { token } = await server().client.createToken({ role: 'viewer', name: 'eyes' });
    const page = await inbox(token);
    await page.getByLabel('Selected approval').getByText('"amount": 1').waitFor();
    await page.keyboard.press('a');
    await page.keyboard.press('r');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await page.getByRole('button', { name: /Approve|Reject/ }).count()).toBe(0);
  });

  it('is unharmed by hostile names and values, in both themes and on a phone', async () => {
    const description = `${HOSTILE} \u001b[2J ${'x'.repeat(100_000)}`;
    const nodes = { [HOSTILE]: { kind: { type: 'human_approval', description } } };
    await start({ ...REFUND, workflow_id: HOSTILE, nodes } as never, { text: HOSTILE, large: 'y'.repeat(1_000_000) });
    const page = await inbox();
    await page.getByLabel('Selected approval').getByText('1,000,000 characters').waitFor();
    await expectAccessibleInBothThemes(page);
    await expectAccessibleOnPhone(page);
    await page.getByRole('listbox').getByRole('option').first().click();
    await page.getByRole('button', { name: 'All approvals' }).waitFor();
    await expectAccessibleOnPhone(page);
    await page.keyboard.press('r');
    await page.getByRole('dialog').getByText('1,000,000 characters').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('keeps what it shows while the server is unreachable, and then has everything once', async () => {
    const folder = temporaryFolder(onTestFinished);
    const first = await startServer({ folder });
    await first.client.registerWorkflow(REFUND);
    for (const amount of [1, 2]) await first.client.start({ workflow_id: 'refund', input: { amount } });
    const page = await open({ url: first.url, token: first.token, path: '/approvals', expected: /ERR_|Failed to load|net::/ });
    const rows = page.getByRole('listbox').getByRole('option');
    await expect.poll(() => rows.count()).toBe(2);
    await first.kill();
    await page.getByText('Offline').waitFor();
    expect(await rows.count()).toBe(2);

    const { client } = await startServer({ folder, port: Number(new URL(first.url).port) });
    await client.start({ workflow_id: 'refund', input: { amount: 3 } });
    await expect.poll(() => rows.count()).toBe(3);
    expect(await rows.allTextContents()).toEqual([1, 2, 3].map((amount) => expect.stringContaining(`Refund ${amount}?`)));
    await expect.poll(() => page.getByRole('link', { name: 'Approvals' }).textContent()).toBe('Approvals3');
  });

  it('loads what it is scrolled to, and keeps few rows', async () => {
    const { client } = server();
    await startApprovals(client, MANY);
    const page = await inbox();
    await scrollToEnd(page, MANY);
    expect(await page.getByRole('listbox').getByRole('option').count()).toBeLessThan(60);
    await approveFirst(client, 20);
    await expect.poll(() => page.getByRole('link', { name: 'Approvals' }).textContent()).toBe(`Approvals${MANY - 20}`);
  });
});

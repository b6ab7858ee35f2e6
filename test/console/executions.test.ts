import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { accessibilityProblems } from '../support/accessibility.ts';
import { consoleBrowser } from '../support/browser.ts';
import { expectAccessibleInBothThemes, expectAccessibleOnPhone } from '../support/console-page.ts';
import { type Server, startServer } from '../support/in-process-server.ts';
import { ir, tool } from '../support/ir.ts';
import { requires } from '../support/requirements.ts';
import { temporaryFolder } from '../support/server.ts';

const once = { retry_policies: { once: { max_attempts: 1, backoff: 'fixed', initial_delay: 0 } } };
const charging = ir(
  'charging',
  { charge: tool('charge', { input_mapping: { card: '{{ state.card }}' }, node: { retry_policy: 'once' } }) },
  [['charge', 'end']],
  once,
);
const waiting = ir('waiting', { hold: { type: 'wait', condition: 'external_event', correlation_key: 'go' } }, [['hold', 'end']]);
const ending = ir('ending', { note: { type: 'condition', branches: [{ condition: null, target: 'end' }] } }, [['note', 'end']]);

/** Declines every card until the file exists. */
const TOOLS = `import { existsSync } from 'node:fs';
export async function charge({ card }) {
  if (card.length < 100 && existsSync(new URL('./solvent', import.meta.url))) return { charged: true };
  throw new Error('card ' + card + ' was declined');
}`;

const grid = (page: Page) => page.getByRole('grid', { name: 'Executions' });
const rows = (page: Page) => grid(page).locator('[role=row][aria-selected], [role=row][id]');
const chip = (page: Page, name: string) => page.getByRole('group', { name: 'Status' }).getByRole('button', { name });

describe('the list of executions', requires('chromium'), () => {
  const folder = temporaryFolder();
  const open = consoleBrowser();
  let server: Server;
  const start = (workflow_id: string, input = {}, labels = {}) => server.client.start({ workflow_id, input, labels });
  const settled = async (id: string) => (await server.client.execution(id, { waitMs: 30_000 })).status;

  beforeAll(async () => {
    writeFileSync(join(folder, 'tools.mjs'), TOOLS);
    server = await startServer({ folder, tools: join(folder, 'tools.mjs') });
    for (const workflow of [charging, waiting, ending]) await server.client.registerWorkflow(workflow);
  });

  it('says how to start an execution while there is none', async () => {
    const page = await open({ ...server, path: '/executions' });
    await page.getByRole('heading', { name: 'Nothing has been started yet' }).waitFor();
    await start('ending');
    // The first one appears by itself.
    await grid(page).getByText('ending').waitFor();
    await chip(page, 'All 1').waitFor();
  });

  it('shows new executions and new statuses as they happen, with the numbers of the API', async () => {
    const page = await open({ ...server, path: '/executions?workflow_id=waiting' });
    await page.getByRole('heading', { name: 'No execution matches' }).waitFor();
    const started = await Promise.all(Array.from({ length: 3 }, (_, n) => start('waiting', {}, { batch: `b${n}` })));
    await expect.poll(() => rows(page).count()).toBe(3);
    const ids = (await server.client.executions({ workflow_id: 'waiting' })).executions.map(({ id }) => id);
    expect(await rows(page).evaluateAll((all) => all.map((row) => row.id))).toEqual(ids.map((id) => `execution-${id}`));
    await chip(page, 'paused 3').waitFor();

    await server.client.cancel(started[1]?.execution_id ?? '', 'not needed');
    await grid(page).getByText('cancelled', { exact: true }).waitFor();
    await expect.poll(() => chip(page, 'cancelled').textContent()).toContain('1');
    const { counts, total } = await server.client.executionCounts({ workflow_id: 'waiting' });
    await chip(page, `All ${total}`).waitFor();
    for (const [status, count] of Object.entries(counts).filter(([each]) => each !== 'pending'))
      expect(await chip(page, status.replace('_', ' ')).textContent()).toContain(String(count));

    await chip(page, 'cancelled').click();
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(page.url()).toContain('status=cancelled');
  });

  it('finds executions by a part of the id, and by a label', async () => {
    const { execution_id } = await start('ending', {}, { customer: 'c42' });
    await start('ending', {}, { customer: 'c43' });
    const page = await open({ ...server, path: '/executions' });
    await rows(page).first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(execution_id.slice(-8));
    await page.keyboard.press('Enter');
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(await rows(page).first().getAttribute('id')).toBe(`execution-${execution_id}`);

    await page.getByLabel('Search by id or label').fill('customer=c43');
    await page.keyboard.press('Enter');
    await grid(page).getByText('customer: c43').waitFor();
    expect(await rows(page).count()).toBe(1);
    expect(decodeURIComponent(page.url())).toContain('label=customer:c43');
    await page.getByRole('button', { name: 'Remove the filter Label' }).click();
    await expect.poll(() => rows(page).count()).toBeGreaterThan(1);
  });

  it('is used by keyboard alone', async () => {
    for (let started = 0; started < 2; started++) await start('ending');
    const page = await open({ ...server, path: '/executions?workflow_id=ending' });
    await grid(page).waitFor();
    const ids = (await server.client.executions({ workflow_id: 'ending' })).executions.map(({ id }) => id);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('1 selected').waitFor();
    expect(await grid(page).locator('[aria-selected=true]').getAttribute('id')).toBe(`execution-${ids[1]}`);
    await page.keyboard.press('Escape');
    await page.getByText('1 selected').waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('k');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain(`#/executions/${ids[0]}`);
  });

  it('groups failed executions by their error, and retries 50 of them as a job with progress to its end', async () => {
    const started = await Promise.all(Array.from({ length: 50 }, (_, n) => start('charging', { card: `${1000 + n}` })));
    for (const { execution_id } of started) expect(await settled(execution_id)).toBe('failed');

    const page = await open({ ...server, path: '/executions?workflow_id=charging&view=errors' });
    const [group] = (await server.client.executionErrors({ workflow_id: 'charging' })).groups;
    const row = page.getByRole('table', { name: 'Errors' }).getByRole('row').nth(1);
    expect(await row.textContent()).toContain(group?.error);
    expect(await row.textContent()).toContain('50');
    await row.getByRole('button', { name: group?.error ?? '' }).click();
    await expect.poll(() => page.getByText('50 executions').count()).toBe(1);

    writeFileSync(join(folder, 'solvent'), '');
    await page.getByLabel('Select all that match').check();
    await page.getByText('All 50 selected').waitFor();
    await page.getByRole('button', { name: 'Retry', exact: true }).click();
    await page.getByLabel('Reason').fill('the cards are covered');
    await page.getByRole('button', { name: 'Retry 50 executions' }).click();
    const job = page.getByRole('region', { name: 'Bulk job' });
    await job.getByText('50 of 50').waitFor();
    await job.getByText('completed 50', { exact: true }).waitFor();
    await chip(page, 'failed 0').waitFor();
    expect(await server.client.executionCounts({ workflow_id: 'charging' })).toMatchObject({
      counts: { completed: 50 },
      total: 50,
    });

    await job.getByRole('link', { name: 'Details' }).click();
    await page.getByText('the cards are covered').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.goto(`${server.url}/#/jobs`);
    await page.getByRole('table', { name: 'Jobs' }).getByText('50 / 50').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('cancels chosen executions, and only these, after a confirmation', async () => {
    const started = await Promise.all(Array.from({ length: 4 }, () => start('waiting', {}, { batch: 'chosen' })));
    for (const { execution_id } of started) expect(await settled(execution_id)).toBe('paused');
    const page = await open({ ...server, path: '/executions?label=batch:chosen' });
    const chosen = started.slice(0, 2).map(({ execution_id }) => execution_id);
    for (const id of chosen) await page.getByLabel(`Select ${id.slice(-8)}`).check();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const confirm = page.getByRole('button', { name: 'Cancel 2 executions' });
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel('Yes, cancel 2 executions').check();
    await confirm.click();
    await chip(page, 'cancelled 2').waitFor();
    await expect.poll(() => grid(page).getByText('cancelled', { exact: true }).count()).toBe(2);
    const { executions } = await server.client.executions({ label: 'batch:chosen', status: 'cancelled' });
    expect(executions.map(({ id }) => id).sort()).toEqual([...chosen].sort());
  });

  it('keeps the rows where they are when others above them leave the list', async () => {
    await Promise.all(Array.from({ length: 60 }, () => start('waiting', {}, { batch: 'leaving' })));
    await expect.poll(async () => (await server.client.executionCounts({ label: 'batch:leaving' })).counts.paused).toBe(60);
    const page = await open({ ...server, path: '/executions?label=batch:leaving&status=paused' });
    await chip(page, 'paused 60').waitFor();
    await grid(page).hover();
    await page.mouse.wheel(0, 900);
    const ids = (await server.client.executions({ label: 'batch:leaving' })).executions.map(({ id }) => id);
    const watched = page.locator(`#execution-${ids[32]}`);
    const top = async () => Math.round((await watched.boundingBox())?.y ?? 0);
    await expect.poll(top).toBeLessThan(600);
    await page.waitForFunction("document.querySelectorAll('[data-missing]').length === 0");
    const before = await top();
    // Rows above the visible ones, and one that is visible.
    for (const id of [...ids.slice(0, 10), ids[33] ?? '']) await server.client.cancel(id);
    await chip(page, 'paused 49').waitFor();
    await page.locator(`#execution-${ids[33]}`).waitFor({ state: 'detached' });
    expect(await top()).toBe(before);
    await expect
      .poll(async () => (await watched.getAttribute('aria-rowindex')) ?? '')
      .toBe(String(ids.indexOf(ids[32] ?? '') - 10 + 2));
  });

  it('shows a viewer everything and lets it change nothing', async () => {
    const { token } = await server.client.createToken({ name: 'eyes', role: 'viewer' });
    await start('ending');
    const page = await open({ url: server.url, token, path: '/executions' });
    await rows(page).first().waitFor();
    expect(await page.getByRole('checkbox').count()).toBe(0);
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    expect(await page.getByText('selected').count()).toBe(0);
    await page.getByRole('button', { name: 'By error' }).click();
    await page
      .getByRole('heading', { name: 'No execution has failed' })
      .or(page.getByRole('table', { name: 'Errors' }))
      .waitFor();
    expect(await page.getByRole('button', { name: 'Retry all' }).count()).toBe(0);
  });

  it('shows hostile names and errors as text', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const reversed = `\u202egnp.exe\u001b[31m${'x'.repeat(1_000_000)}`;
    await server.client.registerWorkflow({ ...charging, workflow_id: evil });
    expect(await settled((await start(evil, { card: reversed })).execution_id)).toBe('failed');
    await start(evil, {}, { [`<b>${'k'.repeat(50)}`]: '"><script>document.title=2</script>' });
    const page = await open({ ...server, path: `/executions?${new URLSearchParams({ workflow_id: evil })}` });
    await rows(page).first().waitFor();
    await grid(page).getByText('\\u202egnp.exe\\u001b[31m').waitFor();
    await grid(page).getByText('<img src=x').first().waitFor();
    expect(await grid(page).locator('img, b, script').count()).toBe(0);
    expect(await page.title()).toBe('Executions · JamJet');
  });

  it('has no accessibility problems, in both themes and on a phone', async () => {
    await start('ending');
    const page = await open({ ...server, path: '/executions' });
    await rows(page).first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('1 selected').waitFor();
    await expectAccessibleInBothThemes(page);
    await expectAccessibleOnPhone(page);
  });

  it('shows nothing twice, and misses nothing, after a restart of the server', async () => {
    const page = await open({ ...server, path: '/executions?label=batch:restart', expected: /ERR_|Failed to load|net::/ });
    await start('ending', {}, { batch: 'restart' });
    await expect.poll(() => rows(page).count()).toBe(1);
    const port = Number(new URL(server.url).port);
    await server.kill();
    await page.getByText('Offline').waitFor();
    expect(await rows(page).count()).toBe(1);
    server = await startServer({ folder, tools: join(folder, 'tools.mjs'), port });
    await start('ending', {}, { batch: 'restart' });
    await page.getByText('Live', { exact: true }).waitFor();
    await expect.poll(() => rows(page).count()).toBe(2);
    const ids = await rows(page).evaluateAll((all) => all.map((row) => row.id));
    expect(new Set(ids).size).toBe(2);
    await chip(page, 'All 2').waitFor();
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import type { CronJobList } from '../../src/client/index.ts';
import { consoleBrowser } from '../support/browser.ts';
import { column, expectAccessible, tokenOf } from '../support/console-page.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

const WORKFLOW = {
  workflow_id: 'report',
  version: '1',
  nodes: { draft: { kind: { type: 'tool', tool_ref: 'draft_report' } } },
  edges: [{ from: 'draft', to: 'end' }],
};

/** Control characters are refused in names of jobs. */
const HOSTILE = '<img src=x onerror=alert(1)>\u202Egnp.exe';

describe('the cron page', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();

  beforeAll(async () => {
    const { client } = server();
    await client.registerWorkflow(WORKFLOW);
    await client.cron.put({ name: 'nightly', cron_expression: '30 2 * * *', timezone: 'Europe/Berlin', workflow_id: 'report' });
    await client.cron.put({ name: HOSTILE, cron_expression: '0 0 1 1 *', workflow_id: 'report', enabled: false });
  });

  it('shows the jobs as the API has them, whatever their names are', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/cron' });
    await page.getByText('nightly').waitFor();
    const { cron_jobs: jobs } = await client.cron.list();
    expect(await column(page, 'Cron jobs', 'Name')).toEqual(jobs.map(({ name }) => name.replace('\u202e', '\\u202e')));
    expect(await column(page, 'Cron jobs', 'Status')).toEqual(jobs.map(({ enabled }) => (enabled ? 'enabled' : 'paused')));
    await page.getByText('At 02:30', { exact: true }).waitFor();
    await page.getByText('Europe/Berlin').waitFor();
  });

  it('creates a job whose next times are shown while it is typed, runs, pauses and deletes it', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/cron' });
    await page.getByRole('button', { name: 'New job' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('hourly');
    await dialog.getByLabel('Expression').fill('0 25 * * *');
    await dialog.getByText('invalid cron expression').waitFor();
    await dialog.getByLabel('Expression').fill('0 9 * * mon');
    await dialog.getByText(/At 09:00, only on Monday: .*9:00/).waitFor();
    await dialog.getByLabel('Workflow').fill('report');
    await dialog.getByLabel('Overlap').selectOption('skip');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Run hourly now' }).click();
    await page.getByText('has started').waitFor();
    const job = await client.cron.get('hourly');
    expect(job).toMatchObject({
      cron_expression: '0 9 * * mon',
      timezone: 'UTC',
      overlap: 'skip',
      missed: 'skip',
      enabled: true,
    });
    const executions = await client.executions({ workflow_id: 'report' });
    expect(executions.executions).toHaveLength(1);

    await page.getByRole('button', { name: 'Pause hourly' }).click();
    await page.getByRole('button', { name: 'Resume hourly' }).waitFor();
    expect((await client.cron.get('hourly')).enabled).toBe(false);
    await page.getByRole('button', { name: 'Delete hourly' }).click();
    // Enter does not confirm.
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    expect((await client.cron.get('hourly')).name).toBe('hourly');
    await page.getByRole('button', { name: 'Delete hourly' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete hourly' }).waitFor({ state: 'hidden' });
    await expect(client.cron.get('hourly')).rejects.toMatchObject({ status: 404 });
  });

  it('says in the dialog why the server refuses a job, and keeps what was typed', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path: '/cron', expected: /400/ });
    await page.getByRole('button', { name: 'New job' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('lost');
    await dialog.getByLabel('Expression').fill('@daily');
    await dialog.getByLabel('Workflow').fill('no-such-workflow');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.getByText('workflow no-such-workflow is not registered').waitFor();
    expect(await dialog.getByLabel('Name').inputValue()).toBe('lost');
  });

  it('shows why a job fails that has never run', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path: '/workers' });
    await page.route(`${url}/cron`, async (route) => {
      const response = await route.fetch();
      const { cron_jobs: jobs } = (await response.json()) as CronJobList;
      // A run that fails would take until the next minute.
      await route.fulfill({
        response,
        json: { cron_jobs: jobs.map((job) => ({ ...job, last_error: 'the input does not fit' })) },
      });
    });
    await page.getByRole('link', { name: 'Cron' }).click();
    await page.getByRole('rowheader', { name: 'nightly' }).waitFor();
    expect(await column(page, 'Cron jobs', 'Status')).toEqual(['paused failing', 'enabled failing']);
    expect(await column(page, 'Cron jobs', 'Last run')).toEqual(['–the input does not fit', '–the input does not fit']);
  });

  it('shows viewers no actions', async () => {
    const { url } = server();
    const page = await open({ url, token: await tokenOf(server(), 'viewer'), path: '/cron' });
    await page.getByText('nightly').waitFor();
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
  });

  it('is accessible in both themes and on a phone', () => expectAccessible(open, server(), ['/cron', 'nightly']));
});

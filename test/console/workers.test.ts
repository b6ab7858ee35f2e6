import { beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { column, expectAccessible, HOSTILE, HOSTILE_SHOWN } from '../support/console-page.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

const workflow = (workflow_id: string, tool_ref: string) => ({
  workflow_id,
  version: '1',
  nodes: { work: { kind: { type: 'tool', tool_ref } } },
  edges: [{ from: 'work', to: 'end' }],
});

/** Sets the clock of a page forward, and notes in `shown` every text of a time that it shows from then on. */
const TEN_MINUTES_LATER = `{
  const now = Date.now;
  Date.now = () => now() + 600_000;
  globalThis.shown = [];
  const read = () => shown.push(...[...document.querySelectorAll('time')].map(({ textContent }) => textContent));
  new MutationObserver(read).observe(document.body, { subtree: true, childList: true, characterData: true });
}`;

describe('the page of workers', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();

  beforeAll(async () => {
    const { client } = server();
    await client.registerWorkflow(workflow('quote', 'draft_quote'));
    await client.registerWorkflow(workflow('report', 'render_report'));
    await client.claimWork({ worker_id: 'pricing', queue_types: ['tool'], tools: ['draft_quote'] });
    await client.claimWork({ worker_id: HOSTILE, queue_types: ['python_tool'] });
  });

  it('shows live what waits, since when, and which workers do it', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/workers' });
    await page.getByText('Nothing waits for a worker.').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    await client.start({ workflow_id: 'quote', input: {} });
    await client.start({ workflow_id: 'quote', input: {} });
    await client.start({ workflow_id: 'report', input: {} });
    await page.getByText('One tool is asked for that no worker and no server serves').waitFor();
    await expect.poll(() => column(page, 'Waiting work', 'Tool')).toEqual(['render_report', 'draft_quote']);
    await expect.poll(() => column(page, 'Waiting work', 'Waiting')).toEqual(['1', '2']);
    expect(await column(page, 'Waiting work', 'Served by')).toEqual(['no worker', '1 worker']);

    // The claim is an event of its node.
    await client.claimWork({ worker_id: 'reports', queue_types: ['tool'], tools: ['render_report'] });
    await page.getByRole('rowheader', { name: 'reports' }).waitFor();
    const { workers } = await client.workers();
    const names = workers.map(({ id }) => (id === HOSTILE ? HOSTILE_SHOWN : id));
    expect(await column(page, 'Workers and servers', 'Worker')).toEqual(names);
    const waiting = workers.map((worker) => (worker.waiting === 0 ? 'nothing' : String(worker.waiting)));
    expect(await column(page, 'Workers and servers', 'Waits for it')).toEqual(waiting);
    expect(waiting).toContain('2');
    await expect
      .poll(() => column(page, 'Workers and servers', 'Running'))
      .toEqual(workers.map(({ in_flight }) => String(in_flight)));
  });

  it('keeps what it shows when it cannot be read again, and says so', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path: '/workers', expected: /ERR_FAILED/ });
    await page.getByRole('rowheader', { name: 'pricing' }).waitFor();
    await page.route(`${url}/workers`, (route) => route.abort());
    await page.getByRole('button', { name: 'Read again' }).click();
    await page.getByText('The server cannot be reached.').waitFor();
    await page.getByRole('rowheader', { name: 'pricing' }).waitFor();
    await page.unroute(`${url}/workers`);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('The server cannot be reached.').waitFor({ state: 'hidden' });
  });

  it('shows the time as it is now, after a page without times', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path: '/agents' });
    await page.getByRole('heading', { name: 'Agents', level: 1 }).waitFor();
    await page.evaluate(TEN_MINUTES_LATER);
    await page.getByRole('link', { name: 'Workers' }).click();
    await page.getByRole('rowheader', { name: 'pricing' }).waitFor();
    const shown = await page.evaluate<readonly string[]>('shown');
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter((text) => !/^\d+ m ago$/.test(text))).toEqual([]);
  });

  it('is accessible in both themes and on a phone', () => expectAccessible(open, server(), ['/workers', 'pricing']));
});

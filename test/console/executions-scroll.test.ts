import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { countFrames, leastRate } from '../support/frame-rate.ts';
import { ir } from '../support/ir.ts';
import { createManyExecutions } from '../support/many-executions.ts';
import { requires } from '../support/requirements.ts';
import { type Server, startServer, temporaryFolder } from '../support/server.ts';

const COUNT = 500_000;
const ending = ir('ending', { note: { type: 'condition', branches: [{ condition: null, target: 'end' }] } }, [['note', 'end']]);

const grid = (page: Page) => page.getByRole('grid', { name: 'Executions' });
/** Rows on the page: their ranks, from 1, and ids. Rows that are being loaded have no id. */
const shown = (page: Page): Promise<readonly (readonly [rank: number, id: string])[]> =>
  grid(page)
    .locator('[role=rowgroup] + [role=rowgroup] > [role=row]')
    .evaluateAll((rows) => rows.map((row) => [Number(row.getAttribute('aria-rowindex')) - 1, row.id.replace('execution-', '')]));

describe('a list of half a million executions', requires('chromium'), () => {
  const folder = temporaryFolder();
  const open = consoleBrowser();
  let server: Server;
  beforeAll(async () => {
    await createManyExecutions(join(folder, 'runtime.db'), COUNT, Date.now());
    server = await startServer({ folder });
    await server.client.registerWorkflow(ending);
  });

  /** The rows on the page are those that the API has at these ranks, and none is missing. */
  async function expectRowsOfApi(page: Page): Promise<void> {
    await expect.poll(async () => (await shown(page)).every(([, id]) => id !== '')).toBe(true);
    const rows = await shown(page);
    const { executions } = await server.client.executions({ offset: (rows[0]?.[0] ?? 1) - 1, limit: rows.length });
    expect(rows.map(([, id]) => id)).toEqual(executions.map(({ id }) => id));
  }

  it('shows the rows of every place to which it is scrolled, and keeps few of them', async () => {
    const page = await open({ ...server, path: '/executions' });
    await page.getByText('500,000 executions').waitFor();
    await expectRowsOfApi(page);
    for (const part of [0.5, 0.25, 0.99]) {
      await grid(page).evaluate((element, to) => {
        element.scrollTop = to * element.scrollHeight;
      }, part);
      await expect.poll(async () => Math.abs(((await shown(page))[0]?.[0] ?? 0) / COUNT - part)).toBeLessThan(0.01);
      await expectRowsOfApi(page);
      expect((await shown(page)).length).toBeLessThan(60);
    }
    await grid(page).focus();
    await page.keyboard.press('End');
    await expect.poll(async () => (await shown(page)).at(-1)?.[0]).toBe(COUNT);
    await expectRowsOfApi(page);
    await page.keyboard.press('Home');
    await expect.poll(async () => (await shown(page))[0]?.[0]).toBe(1);
    await expectRowsOfApi(page);
  });

  it('scrolls by single rows in the middle of the list', async () => {
    const page = await open({ ...server, path: '/executions' });
    await page.getByText('500,000 executions').waitFor();
    await grid(page).evaluate((element) => {
      element.scrollTop = element.scrollHeight / 2;
    });
    await expect.poll(async () => (await shown(page))[0]?.[0]).toBeGreaterThan(200_000);
    await expectRowsOfApi(page);
    const before = (await shown(page))[0]?.[0] ?? 0;
    await grid(page).hover();
    await page.mouse.wheel(0, 360);
    await expect.poll(async () => (await shown(page))[0]?.[0]).toBe(before + 10);
    await expectRowsOfApi(page);
  });

  it('is at the same place when the reader comes back', async () => {
    const page = await open({ ...server, path: '/executions' });
    await page.getByText(/50\d,\d{3} executions/).waitFor();
    await grid(page).evaluate((element) => {
      element.scrollTop = element.scrollHeight / 3;
    });
    await expect.poll(async () => (await shown(page))[0]?.[0]).toBeGreaterThan(150_000);
    await expectRowsOfApi(page);
    const before = await shown(page);
    await page.getByRole('link', { name: 'Bulk jobs' }).click();
    await page.getByRole('heading', { name: 'Bulk jobs', level: 1 }).waitFor();
    await page.goBack();
    await expect.poll(async () => (await shown(page))[12]?.[0]).toBe(before[12]?.[0]);
    await expectRowsOfApi(page);
  });

  it('stays where the reader is while executions are started, and counts these', async () => {
    const page = await open({ ...server, path: '/executions' });
    await page.getByText(/50\d,\d{3} executions/).waitFor();
    await grid(page).hover();
    await page.mouse.wheel(0, 3_600);
    await expect.poll(async () => (await shown(page))[0]?.[0]).toBeGreaterThan(50);
    await expectRowsOfApi(page);
    const before = await shown(page);
    const started = await Promise.all(Array.from({ length: 20 }, () => server.client.start({ workflow_id: 'ending' })));
    await page.getByRole('button', { name: '20 new' }).waitFor();
    expect(await shown(page)).toEqual(before);
    await page.getByRole('button', { name: '20 new' }).click();
    await expect.poll(async () => (await shown(page)).map(([, id]) => id)).toContain(started[0]?.execution_id);
    await page.getByRole('button', { name: 'new' }).waitFor({ state: 'detached' });
    await expectRowsOfApi(page);
  });

  it('draws at least a third of the frames of an empty page while it is scrolled and executions are started', async () => {
    const page = await open({ ...server, path: '/executions' });
    await page.getByText(/50\d,\d{3} executions/).waitFor();
    await grid(page).hover();
    let goesOn = true;
    const load = (async () => {
      while (goesOn) await server.client.start({ workflow_id: 'ending' });
    })();
    const frameRate = await countFrames(page);
    const endMs = performance.now() + 3_000;
    while (performance.now() < endMs) await page.mouse.wheel(0, 240);
    const rate = await frameRate();
    goesOn = false;
    await load;
    console.log(`${rate.drawn.toFixed(1)} frames per second; an empty page: ${rate.empty.toFixed(1)}`);
    expect(rate.drawn).toBeGreaterThanOrEqual(leastRate(rate));
  });
});

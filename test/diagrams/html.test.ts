import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeVisit } from '../../machines/history/node-visit.ts';
import { NodeVisits } from '../../machines/history/node-visits.ts';
import type { JsonObject } from '../../machines/json.ts';
import type { DrawnExecution } from '../../machines/views/diagram.ts';
import type { ExecutionOverlay, NodeOverlay } from '../../machines/views/execution-overlay.ts';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { drawDocument } from '../../src/diagrams/draw.ts';
import { requiredProgram, requires } from '../support/requirements.ts';
import { tool, workflow } from '../support/workflows.ts';

const HOSTILE = `</script><img src=x onerror="document.title='taken over'">`;

describe('the HTML page of a diagram', requires('chromium'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-page-'));
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: requiredProgram('chromium'),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens the page and collects its errors. */
  async function opened(
    document: unknown,
    execution: DrawnExecution | null = null,
    visits: ReadonlyMap<string, readonly NodeVisit[]> = new Map(),
  ): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
    const { content } = await drawDocument(document, { format: 'html', view: 'workflow', execution, visits });
    const file = join(folder, `${Math.random()}.html`);
    writeFileSync(file, content);
    const page = await browser.newPage({ viewport: { width: 1_200, height: 800 } });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => problems.push(message.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) problems.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return { page, problems };
  }

  const example = () => checkWorkflow(readFileSync('examples/order-fulfilment/workflow.yaml', 'utf8'), 'workflow.yaml').document;
  const viewBox = async (page: Page) =>
    ((await page.locator('#stage > svg').getAttribute('viewBox')) ?? '').split(' ').map(Number);

  /** Is the node on the screen, and large enough to read? */
  const legible = async (page: Page, name: string) => {
    const box = await page.locator('.jj-node', { has: page.getByText(name, { exact: true }) }).boundingBox();
    return box !== null && box.height > 30 && box.y > 0 && box.y + box.height < 800;
  };

  it('shows the definition of a clicked node', async () => {
    const { page, problems } = await opened(example());
    expect(await page.locator('#panel').isVisible()).toBe(false);
    await page.locator('.jj-node', { hasText: 'payment' }).first().click();
    expect(await page.locator('#name').textContent()).toBe('payment');
    expect(JSON.parse((await page.locator('#definition').textContent()) ?? '')).toMatchObject({
      id: 'payment',
      kind: { type: 'wait', correlation_key: 'payment-received', on_timeout: 'release' },
    });
    await page.keyboard.press('Escape');
    expect(await page.locator('#panel').isVisible()).toBe(false);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('shows the attempts of a node, newest first', async () => {
    const visits = new NodeVisits('a');
    const event = (type: string, data: JsonObject) =>
      visits.apply({ sequence: 1, type, node_id: 'a', created_at: '2026-01-01T00:00:00.000Z', data: { activation: 1, ...data } });
    for (const attempt of [0, 1]) {
      event('node_scheduled', { attempt, queue_type: 'tool', in_process: true });
      event('node_started', { attempt, worker_id: 'w', input: { amount: 5 } });
      event('node_failed', { attempt, error: HOSTILE, stack: 'at pay (pay.ts:3:9)', retryable: attempt === 0 });
    }
    const { page, problems } = await opened(workflow([tool('a')], []), null, new Map([['a', visits.all(true)]]));
    await page.locator('.jj-node', { hasText: 'a' }).last().click();
    const section = (i: number) => page.locator('#sections section').nth(i).textContent();
    expect(await section(0)).toContain('attempt 1 · failed');
    expect(await section(0)).toContain(HOSTILE);
    expect(await section(0)).toContain('at pay (pay.ts:3:9)');
    expect(await section(1)).toContain('attempt 0 · failed');
    expect(JSON.parse((await page.locator('#sections pre', { hasText: 'amount' }).first().textContent()) ?? '')).toEqual({
      amount: 5,
    });
    expect(await page.title()).not.toBe('taken over');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('finds nodes by their texts, with the keyboard alone', async () => {
    const { page, problems } = await opened(example());
    await page.keyboard.press('/');
    await page.keyboard.type('release_stock');
    expect(await page.locator('#found').textContent()).toBe('1 found');
    await page.keyboard.press('Enter');
    expect(await page.locator('#name').textContent()).toBe('release');
    expect(await page.locator('.jj-found').count()).toBe(1);
    await page.keyboard.press('Escape');
    expect(await page.locator('.jj-found').count()).toBe(0);
    await page.locator('.jj-node', { hasText: 'ship_order' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('#name').textContent()).toBe('ship');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('zooms at the pointer, and pans', async () => {
    const { page, problems } = await opened(example());
    const [, , whole = 0] = await viewBox(page);
    await page.mouse.move(600, 400);
    await page.mouse.wheel(0, -100);
    await expect.poll(async () => (await viewBox(page))[2]).toBeLessThan(whole);
    const [, y = 0] = await viewBox(page);
    await page.mouse.down();
    await page.mouse.move(600, 500, { steps: 4 });
    await page.mouse.up();
    expect((await viewBox(page))[1]).toBeLessThan(y);
    await page.locator('#out').click();
    await page.locator('#fit').click();
    expect((await viewBox(page))[2]).toBe(whole);
    await page.locator('#stage').press('+');
    expect((await viewBox(page))[2]).toBeLessThan(whole);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('opens a long diagram at a readable size, at its start or at the active node', async () => {
    const names = Array.from({ length: 80 }, (_, i) => `step_${i}`);
    const { source } = workflow(
      names.map((name) => tool(name)),
      names.map((name, i): [string, string] => [name, names[i + 1] ?? 'end']),
    );
    const { page, problems } = await opened(source);
    expect(await legible(page, 'step_0')).toBe(true);
    expect(await legible(page, 'step_60')).toBe(false);
    await page.locator('#in').click();
    expect(await legible(page, 'step_0')).toBe(true);
    await page.locator('#fit').click();
    expect(await legible(page, 'step_40')).toBe(false);
    for (let i = 0; i < 15; i += 1) await page.locator('#stage').press('+');
    expect(await legible(page, 'step_40')).toBe(true);
    await page.close();

    const waits: NodeOverlay = {
      status: 'waiting',
      visits: 1,
      retries: 0,
      sinceMs: 0,
      durationMs: null,
      items: null,
      error: null,
    };
    const overlay: ExecutionOverlay = {
      status: 'paused',
      suspended: false,
      sequence: 9,
      startedAtMs: 0,
      atMs: 0,
      ended: false,
      error: null,
      nodes: new Map([['step_60', waits]]),
      machines: new Map(),
      taken: [],
      rerouted: false,
    };
    const execution = await opened(source, { id: null, overlay, transitions: null });
    expect(await legible(execution.page, 'step_60')).toBe(true);
    expect([...problems, ...execution.problems]).toEqual([]);
    await execution.page.close();
  });

  it('follows the dark colour preference', async () => {
    const { page } = await opened(example());
    const paper = () => page.evaluate<string>("getComputedStyle(document.querySelector('.jj-paper')).fill");
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await paper()).toBe('rgb(255, 255, 255)');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await paper()).toBe('rgb(15, 23, 42)');
    await page.close();
  });

  it('runs no script from a name', async () => {
    const { source } = workflow([tool(HOSTILE, { tool_ref: HOSTILE })], [], { name: HOSTILE });
    const { page, problems } = await opened(source);
    await page.locator('.jj-node', { hasText: 'onerror' }).first().click();
    expect(await page.locator('#name').textContent()).toBe(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toContain('onerror');
    expect(problems).toEqual([]);
    await page.close();
  });
});

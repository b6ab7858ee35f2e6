import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requiredProgram, requires } from '../../support/requirements.ts';
import { REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { type Received, shapeFaults } from './receiver.ts';

/** Acts like `createBrowserReceiver` of @statelyai/inspect: announces itself and receives messages with a version. */
const INSPECTOR = `<!doctype html><script>
  window.received = [];
  addEventListener('message', ({ data }) => {
    if (typeof data?.type === 'string' && typeof data._version === 'string') window.received.push(data);
  });
  parent.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;

const server = runtimeServer(TOOLS);

describe('the page with Stately’s inspector', requires('chromium'), () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: requiredProgram('chromium'),
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
  });
  afterAll(() => browser?.close());

  /** A browser page for which stately.ai serves `inspector`. */
  async function opened(url: string, inspector: string): Promise<{ readonly page: Page; readonly problems: readonly string[] }> {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => problems.push(message.text()));
    await page.route('https://stately.ai/inspect', (route) => route.fulfill({ contentType: 'text/html', body: inspector }));
    await page.goto(url);
    return { page, problems };
  }

  const received = (page: Page) =>
    page.frame({ url: 'https://stately.ai/inspect' })?.evaluate<Received[]>('window.received') ?? Promise.resolve([]);
  const types = async (page: Page) => (await received(page)).map(({ type }) => type.replace('@xstate.', ''));

  async function shown(): Promise<{ readonly id: string; readonly url: string; stop(): Promise<void> }> {
    const { client, jamjet } = server();
    const { workflow_id } = await client.registerWorkflow(REVIEWED);
    const { execution_id: id } = await client.start({ workflow_id, input: { n: 4 } });
    const session = jamjet(`inspect ${id} --stately --json`);
    await session.shows('"socket"');
    return {
      id,
      url: (JSON.parse(session.screen) as { readonly url: string }).url,
      async stop() {
        session.signals.emit('SIGINT');
        await session.ended;
      },
    };
  }

  it('forwards all messages from the start on every load, and shows when the stream ends', async () => {
    const { id, url, stop } = await shown();
    const { page, problems } = await opened(url.replace('127.0.0.1', 'localhost'), INSPECTOR);
    await expect.poll(() => types(page)).toEqual(['actor', 'event', 'snapshot']);
    expect(await page.locator('#notice').textContent()).toBe('');
    await server().client.approve(id, { decision: 'approved' });
    const all = ['actor', 'event', 'snapshot', 'event', 'snapshot', 'event', 'snapshot'];
    await expect.poll(() => types(page)).toEqual(all);
    expect(shapeFaults(await received(page))).toEqual([]);
    await page
      .frame({ url: 'https://stately.ai/inspect' })
      ?.evaluate('window.received = []; setTimeout(() => location.reload())');
    await expect.poll(() => types(page)).toEqual(all);
    await stop();
    await expect.poll(() => page.locator('#notice').textContent()).toContain('has stopped');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('sends nothing to a frame of another site', async () => {
    const { url, stop } = await shown();
    const elsewhere = `<!doctype html><script>location = 'data:text/html,' + encodeURIComponent(${JSON.stringify(INSPECTOR).replaceAll('</', '<\\/')})</script>`;
    const { page, problems } = await opened(url, elsewhere);
    // The content security policy prevents the frame from navigating elsewhere.
    await expect.poll(() => problems.join()).toMatch(/frame-src/);
    expect(await page.locator('#notice').textContent()).toMatch(/^Loading the Stately inspector/);
    await page.close();
    await stop();
  });
});

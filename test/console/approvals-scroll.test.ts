import { describe, expect, it, onTestFinished } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { countFrames, leastRate } from '../support/frame-rate.ts';
import { approveFirst, scrollToEnd, startApprovals } from '../support/long-inbox.ts';
import { requires } from '../support/requirements.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const COUNT = 1_000;
const SCROLL_UP = `new Promise((resolve) => {
  const list = document.querySelector('[role=listbox]');
  const begun = performance.now();
  const step = (now) => {
    list.scrollTop -= 60;
    if (now - begun < 2000) requestAnimationFrame(step);
    else resolve();
  };
  requestAnimationFrame(step);
})`;

describe('an inbox of a thousand approvals', requires('chromium'), () => {
  const open = consoleBrowser();

  it('draws at least a third of the frames of an empty page while it is scrolled and approvals are decided', async () => {
    const { url, token, client } = await startServer({ folder: temporaryFolder(onTestFinished) });
    await startApprovals(client, COUNT);
    const page = await open({ url, token, path: '/approvals' });
    await page.getByRole('listbox', { name: 'Pending approvals' }).waitFor();
    await scrollToEnd(page, COUNT);
    const frameRate = await countFrames(page);
    await Promise.all([page.evaluate(SCROLL_UP), approveFirst(client, 20)]);
    const rate = await frameRate();
    expect(rate.drawn).toBeGreaterThanOrEqual(leastRate(rate));
    await expect.poll(() => page.getByRole('link', { name: 'Approvals' }).textContent()).toBe(`Approvals${COUNT - 20}`);
  });
});

import { describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { requires } from '../support/requirements.ts';
import { sharedServer } from '../support/server.ts';

describe('signing in to the console', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();

  it('asks for a token, keeps it as long as the tab, and forgets it on signing out', async () => {
    const { url, token } = server();
    const page = await open({ url, token: null, path: '/executions?status=failed', expected: /401/ });
    await page.getByLabel('Token').fill('jjt_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The server does not accept this token.').waitFor();

    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    // The page that was asked for, and no token in its address.
    expect(page.url()).toBe(`${url}/#/executions?status=failed`);
    await page.getByText('operator').waitFor();

    await page.reload();
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate('JSON.stringify({ ...sessionStorage, ...localStorage })')).not.toContain(token);
  });
});

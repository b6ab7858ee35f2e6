import { describe, expect, it } from 'vitest';
import { JamjetClient } from '../../src/client/index.ts';
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

  it('signs in by a one-time link, once, and revokes the token of the link on signing out', async () => {
    const { url, client } = server();
    const { code } = await client.signIn.createLink();
    const path = `/sign-in/${code}`;
    const page = await open({ url, token: null, path, expected: /401/ });
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    expect(page.url()).not.toContain(code);
    const ofLink = await page.evaluate<string>("sessionStorage.getItem('jamjet.token')");
    expect(await new JamjetClient({ url, token: ofLink }).me()).toMatchObject({ role: 'operator' });

    const second = await open({ url, token: null, path, expected: /40[19]/ });
    await second.getByRole('alert').getByText('used').waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await expect.poll(() => new JamjetClient({ url, token: ofLink }).me().catch(({ status }) => status)).toBe(401);
  });

  it('ends the session when the token is revoked', async () => {
    const { url, client } = server();
    const { id, token } = await client.createToken({ role: 'viewer', name: 'guest' });
    const page = await open({ url, token, expected: /401/ });
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    expect(await page.getByRole('navigation').getByRole('link').allTextContents()).not.toContain('Tenants');
    await client.revokeToken(id);
    await page.getByText('The token is not valid any more. Sign in again.').waitFor();
  });
});

import { describe, expect, it } from 'vitest';
import { JamjetClient } from '../../src/client/index.ts';
import { accessibilityProblems } from '../support/accessibility.ts';
import { consoleBrowser } from '../support/browser.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

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

  it('asks before a link changes who the tab is', async () => {
    const { url, client } = server();
    await client.tenants.create({ id: 'acme', name: 'Acme' });
    const dev = await client.createToken({ role: 'developer', name: 'dev' });
    const other = await client.createToken({ role: 'operator', name: 'acme-op', tenant_id: 'acme' });
    const otherClient = new JamjetClient({ url, token: other.token });
    const link = async () => `${url}/#/sign-in/${(await otherClient.signIn.createLink()).code}`;
    const tokenOfTab = () => page.evaluate<string>("sessionStorage.getItem('jamjet.token')");
    const page = await open({ url, token: dev.token, path: '/workflows' });
    await page.getByRole('heading', { name: 'Workflows', level: 1 }).waitFor();

    // A question that is not answered changes nothing.
    const question = page.getByRole('dialog', { name: 'You are dev (default). Become acme-op (acme)?' });
    await page.goto(await link());
    await question.waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await tokenOfTab()).toBe(dev.token);
    // Enter presses the button that has the focus.
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    expect([await tokenOfTab(), page.url()]).toEqual([dev.token, `${url}/#/executions`]);
    // The session that was declined is revoked.
    const sessions = async () => (await otherClient.tokens()).tokens.filter(({ parent_id }) => parent_id === other.id);
    await expect.poll(async () => (await sessions()).every(({ revoked_at }) => revoked_at !== null)).toBe(true);

    await page.goto(await link());
    await question.waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    expect(await tokenOfTab()).toBe(dev.token);

    await page.goto(await link());
    await page.getByRole('button', { name: 'Become acme-op (acme)' }).click();
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    expect(await new JamjetClient({ url, token: await tokenOfTab() }).me()).toMatchObject({
      tenant_id: 'acme',
      role: 'operator',
    });
  });

  it.each(['used', 'unknown'])('keeps the session when the link does not work: %s', async (kind) => {
    const { url, client } = server();
    const { code } = await client.signIn.createLink();
    await client.signIn.redeemLink(code ?? '');
    const own = await client.createToken({ role: 'viewer', name: 'guest' });
    const page = await open({ url, token: own.token, path: '/workflows', expected: /40[149]/ });
    await page.getByRole('heading', { name: 'Workflows', level: 1 }).waitFor();
    await page.goto(`${url}/#/sign-in/${kind === 'unknown' ? 'garbage1234' : code}`);
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
    await page.getByRole('status').getByText('The sign-in link does not work').waitFor();
    expect(await page.evaluate<string>("sessionStorage.getItem('jamjet.token')")).toBe(own.token);
    await page.reload();
    await page.getByRole('heading', { name: 'Executions', level: 1 }).waitFor();
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

import { beforeAll, describe, expect, it } from 'vitest';
import { JamjetClient } from '../../src/client/index.ts';
import { consoleBrowser } from '../support/browser.ts';
import { column, expectAccessible, HOSTILE, HOSTILE_SHOWN, tokenOf } from '../support/console-page.ts';
import { replaceText } from '../support/editor.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

describe('the pages of operators', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();

  beforeAll(async () => {
    const { client } = server();
    await client.tenants.create({ id: 'acme', name: HOSTILE, limits: { max_concurrent_executions: 10 } });
  });

  it('lists the tokens of the API, creates one that is shown once, and revokes it', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/tokens' });
    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(HOSTILE);
    await dialog.getByLabel('Role').selectOption('reviewer');
    await dialog.getByLabel('Expires').selectOption('12h');
    await dialog.getByRole('button', { name: 'Create' }).click();
    const plaintext = await page.getByLabel('Token', { exact: true }).inputValue();
    // Escape does not lose it.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    expect(await page.getByLabel('Token', { exact: true }).inputValue()).toBe(plaintext);
    expect(await new JamjetClient({ url, token: plaintext }).me()).toMatchObject({ role: 'reviewer', name: HOSTILE });
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('rowheader', { name: HOSTILE_SHOWN }).waitFor();
    const { tokens } = await client.tokens();
    const valid = tokens.filter(({ revoked_at }) => revoked_at === null);
    expect(await column(page, 'Tokens', 'Id')).toEqual(valid.map(({ id }) => id).reverse());
    expect(await page.content()).not.toContain(plaintext);

    await page.getByRole('button', { name: `Revoke ${HOSTILE}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('is revoked').waitFor();
    await page.getByRole('rowheader', { name: HOSTILE_SHOWN }).waitFor({ state: 'hidden' });
    await expect(new JamjetClient({ url, token: plaintext }).me()).rejects.toMatchObject({ status: 401 });
    await page.getByLabel('Show revoked and expired ones').check();
    await page.getByText('revoked', { exact: true }).waitFor();
    expect(page.url()).toContain('ended=true');
  });

  it('creates a token for a worker of some queues', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/tokens' });
    await page.getByRole('button', { name: 'New token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('gpu worker');
    await dialog.getByLabel('Role').selectOption('worker');
    await dialog.getByLabel('Queues').fill('gpu, tool');
    await dialog.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('only gpu, tool').waitFor();
    const { tokens } = await client.tokens();
    expect(tokens).toContainEqual(expect.objectContaining({ name: 'gpu worker', role: 'worker', queues: ['gpu', 'tool'] }));
  });

  it('says that revoking the own token ends the session, and signs out then', async () => {
    const { url, client } = server();
    const own = await client.createToken({ role: 'operator', name: 'second operator' });
    const page = await open({ url, token: own.token, path: '/tokens', expected: /401/ });
    await page.getByRole('button', { name: 'Revoke second operator' }).click();
    await page.getByText('You are signed in with this token').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('The token is not valid any more. Sign in again.').waitFor();
  });

  it('creates a tenant, and changes its limits, policy and status', async () => {
    const { url, token, client } = server();
    const page = await open({ url, token, path: '/tenants' });
    await page.getByRole('cell', { name: HOSTILE_SHOWN }).waitFor();
    const { tenants } = await client.tenants.list();
    expect(await column(page, 'Tenants', 'Id')).toEqual(tenants.map(({ id }) => id));
    const usages = await Promise.all(tenants.map(async ({ id }) => (await client.tenants.get(id)).usage));
    const texts = usages.map(
      ({ live_executions, tokens, cost_usd }) => `${live_executions} live · ${tokens} tokens · $${cost_usd}`,
    );
    await expect.poll(() => column(page, 'Tenants', 'Usage')).toEqual(texts);

    await page.getByRole('button', { name: 'New tenant' }).click();
    await page.getByLabel('Id', { exact: true }).fill('globex');
    await page.getByLabel('Name', { exact: true }).fill('Globex');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('button', { name: 'Edit limits' }).click();
    await page.getByLabel('Live executions').fill('5');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Edit policy' }).click();
    const editor = page.getByRole('textbox', { name: 'Policy' });
    await replaceText(editor, '{"blocked_tools": "shell"}');
    await page.getByText('blocked_tools must be a list of texts.').first().waitFor();
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await replaceText(editor, '{"blocked_tools": ["shell*"]}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('button', { name: 'Activate' }).waitFor();
    const changed = await client.tenants.get('globex');
    expect(changed).toMatchObject({
      status: 'suspended',
      limits: { max_concurrent_executions: 5 },
      policy: { blocked_tools: ['shell*'] },
      usage: { live_executions: 0 },
    });
  });

  it('shows operators of another tenant only that one, and nothing to change', async () => {
    const { url, client } = server();
    const { token } = await client.createToken({ role: 'operator', tenant_id: 'acme' });
    const page = await open({ url, token, path: '/tenants' });
    await page.getByRole('link', { name: 'acme' }).click();
    await page.getByRole('heading', { name: 'Usage and limits' }).waitFor();
    expect(
      await page
        .getByRole('main')
        .getByRole('button', { name: /Edit|Suspend|Archive/ })
        .count(),
    ).toBe(0);
    await page.getByRole('link', { name: 'All tenants' }).click();
    await expect.poll(() => column(page, 'Tenants', 'Id')).toEqual(['acme']);
    expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
  });

  it('shows the pages to no other role', async () => {
    const { url } = server();
    const token = await tokenOf(server(), 'developer');
    for (const [path, title] of [
      ['/tokens', 'Tokens'],
      ['/tenants', 'Tenants'],
      ['/tenants/default', 'Tenants'],
    ] as const) {
      // The data is not even asked for: the server would answer 403, which is an error in the console of the browser.
      const page = await open({ url, token, path });
      await page.getByText(`${title} are shown to operators only`).waitFor();
      expect(await page.getByRole('main').getByRole('button').count()).toBe(0);
      expect(await page.getByRole('link', { name: /Tenants|Tokens/ }).count()).toBe(0);
    }
  });

  it('is accessible in both themes and on a phone', async () => {
    const { client } = server();
    await client.revokeToken((await client.createToken({ role: 'viewer', name: 'former' })).id);
    const tenants = [
      ['/tenants', 'acme'],
      ['/tenants/acme', 'Usage and limits'],
    ] as const;
    await expectAccessible(open, server(), ['/tokens?ended=true', 'revoked'], ...tenants);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { column, expectAccessible, HOSTILE, HOSTILE_SHOWN, tokenOf } from '../support/console-page.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

const CALL = { id: 'c1', type: 'function', function: { name: 'find_order', arguments: '{"number":"A-17"}' } };
const ID = 'customer 42 & co';

describe('the pages of threads', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();
  const path = `/threads/${encodeURIComponent(ID)}`;

  beforeAll(async () => {
    const { client } = server();
    await client.threads.append(
      'long',
      Array.from({ length: 60 }, (_, i) => ({ role: 'user', content: `message ${i + 1}.` })),
    );
    await client.threads.append(ID, [
      { role: 'user', content: 'Where is\nmy parcel?' },
      { role: 'assistant', content: null, tool_calls: [CALL] },
      { role: 'tool', content: '{"state":"on its way"}', tool_call_id: 'c1', name: 'find_order' },
      { role: 'assistant', content: 'It arrives tomorrow.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: HOSTILE },
          { type: 'image_url', image_url: { url: 'https://x.example' } },
        ],
      },
    ]);
  });

  it('list the threads, the last changed first, and lead to one', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path: '/executions' });
    await page.getByRole('link', { name: 'Threads' }).click();
    await page.getByText('long').waitFor();
    expect(await column(page, 'Threads', 'Thread')).toEqual([ID, 'long']);
    expect(await column(page, 'Threads', 'Messages')).toEqual(['5', '60']);
    await page.getByRole('link', { name: ID }).click();
    await page.getByRole('heading', { name: ID, level: 1 }).waitFor();
  });

  it('show a thread like a chat, with what tools have reported collapsed', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path });
    const messages = page.getByRole('list', { name: 'Messages' }).getByRole('listitem');
    await messages.nth(4).waitFor();
    const texts = await messages.allInnerTexts();
    expect(texts.map((text) => text.split('\n')[0]?.split(/\s/)[0])).toEqual(['User', 'Assistant', 'Tool', 'Assistant', 'User']);
    expect(texts[0]).toContain('Where is\nmy parcel?');
    expect(texts[1]).toContain('calls find_order({"number":"A-17"})');
    expect(texts[4]).toContain(`${HOSTILE_SHOWN}\n(image_url)`);
    expect(await page.getByText('on its way').isVisible()).toBe(false);
    await page.getByText('Result').focus();
    await page.keyboard.press('Enter');
    await page.getByText('on its way').waitFor();
  });

  it('read earlier messages on demand', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path: '/threads/long' });
    await page.getByText('message 60.').waitFor();
    expect(await page.getByText('message 10.').count()).toBe(0);
    await page.getByRole('button', { name: 'Show older ones' }).click();
    await page.getByText('message 1.').waitFor();
    expect(await page.getByRole('listitem').filter({ hasText: 'message' }).count()).toBe(60);
  });

  it('show the summary after the last message that it stands for', async () => {
    const { url, token } = server();
    const page = await open({ url, token, path: '/workers' });
    await page.route(`${url}${path}`, async (route) => {
      const response = await route.fetch();
      const thread = (await response.json()) as object;
      await route.fulfill({ response, json: { ...thread, summary: 'A parcel is late.', summarised_sequence: 4 } });
    });
    await page.goto(`${url}/#${path}`);
    await page.getByText('A parcel is late.').waitFor();
    const texts = await page.getByRole('list', { name: 'Messages' }).getByRole('listitem').allInnerTexts();
    expect(texts[4]).toBe('Summary of the messages up to #4\n\nA parcel is late.');
  });

  it('delete a thread after a question, and not for viewers', async () => {
    const { url, token, client } = server();
    await client.threads.append('gone', [{ role: 'user', content: 'Hello' }]);
    const viewer = await open({ url, token: await tokenOf(server(), 'viewer'), path: '/threads/gone' });
    await viewer.getByText('Hello').waitFor();
    expect(await viewer.getByRole('main').getByRole('button').count()).toBe(0);
    const page = await open({ url, token, path: '/threads/gone' });
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Threads', level: 1 }).waitFor();
    await expect(client.threads.get('gone')).rejects.toMatchObject({ status: 404 });
  });

  it('are accessible in both themes and on a phone', () =>
    expectAccessible(open, server(), ['/threads', ID], [path, 'It arrives tomorrow.']));
});

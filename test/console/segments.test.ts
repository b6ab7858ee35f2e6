import { describe, expect, it } from 'vitest';
import type { JamjetClient } from '../../src/client/index.ts';
import { consoleBrowser } from '../support/browser.ts';
import { expectAccessibleInBothThemes } from '../support/console-page.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { ir } from '../support/ir.ts';
import { requires } from '../support/requirements.ts';

/** A segment ends after two rounds. */
const polling = ir(
  'polling',
  {
    poll: { type: 'wait', condition: 'external_event', correlation_key: 'tick', output_key: 'tick' },
    more: { type: 'condition', branches: [{ condition: 'state.tick.stop', target: 'end' }, { target: 'poll' }] },
  },
  [['poll', 'more']],
  { continue_as_new: { after_steps: 4, at: 'poll' } },
);

async function tick(client: JamjetClient, id: string, ...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) await client.sendEvent(id, { key: 'tick', payload: { n } });
}

describe('the pages of a chain of segments', requires('chromium'), () => {
  const server = sharedServer({});
  const open = consoleBrowser();

  it('say which segment each is, lead to the others, and show a continuation while it happens', async () => {
    const { client, url, token } = server();
    await client.registerWorkflow(polling);
    const { execution_id: first } = await client.start({ workflow_id: 'polling', input: {} });
    await tick(client, first, 1);
    const page = await open({ url, token, path: `/executions/${first}` });
    const fact = (label: string) =>
      page.locator('dl > div').filter({ has: page.locator('dt', { hasText: new RegExp(`^${label}$`) }) });
    await page.getByTestId('event-count').getByText('6').waitFor();
    expect(await fact('Segment').count()).toBe(0);
    await tick(client, first, 2);
    await fact('Next segment').waitFor();
    expect(await fact('Segment').locator('dd').textContent()).toBe('0');
    await page.getByTestId('event-count').getByText('10').waitFor();
    await tick(client, first, 3, 4, 5);
    const { next_execution_id: second = '' } = await client.execution(first);
    const { next_execution_id: third = '' } = await client.execution(second);

    await fact('Next segment').getByRole('link').click();
    await expect.poll(() => page.url()).toContain(second);
    await expect.poll(() => fact('Segment').locator('dd').textContent()).toBe('1');
    expect(await fact('Previous segment').textContent()).toContain(first.slice(-8));
    expect(await fact('First segment').count()).toBe(0);
    expect(await fact('Next segment').textContent()).toContain(third.slice(-8));
    await page.getByTestId('event-count').getByText('10').waitFor();
    await expectAccessibleInBothThemes(page);

    await fact('Next segment').getByRole('link').click();
    await expect.poll(() => fact('Segment').locator('dd').textContent()).toBe('2');
    expect(await fact('First segment').textContent()).toContain(first.slice(-8));
    expect(await fact('Next segment').count()).toBe(0);

    await page.goto(`${url}/#/executions/${second}?fork=6`);
    await page.getByRole('dialog').getByRole('button', { name: 'Fork', exact: true }).click();
    await fact('Forked from').waitFor();
    const fork = /exec_[0-9a-f]{32}/.exec(page.url())?.[0] ?? '';
    expect(await client.execution(fork)).toMatchObject({ forked_from: { execution_id: second, sequence: 6 }, segment_number: 0 });
    expect(await fact('Segment').count()).toBe(0);
    expect(await fact('Previous segment').count()).toBe(0);
  });
});

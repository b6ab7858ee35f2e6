import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import type { JamjetClient } from '../../src/client/index.ts';
import { consoleBrowser } from '../support/browser.ts';
import { expectAccessibleInBothThemes } from '../support/console-page.ts';
import { replaceText } from '../support/editor.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { ir, tool } from '../support/ir.ts';
import { requires } from '../support/requirements.ts';

const HOSTILE = '<script>document.title="taken"</script>\u202eevil\u001b[31m';

/** Names of nodes cannot have control characters. */
const NODE = '<script>\u202enode';

const refund = ir(
  'refund',
  {
    order: tool('echo', { input_mapping: { total: '{{ state.amount }}' }, output_key: 'order' }),
    review: { type: 'human_approval', description: 'Refund {{ state.amount }}?' },
    paid: { type: 'wait', condition: 'external_event', correlation_key: 'payment' },
    receipt: tool('echo', { input_mapping: { sent: true }, output_key: 'receipt' }),
  },
  [
    ['order', 'review'],
    ['review', 'paid'],
    ['paid', 'receipt'],
    ['receipt', 'end'],
  ],
  { state_schema: { type: 'object', properties: { amount: { type: 'number', minimum: 0 }, note: { type: 'string' } } } },
);

async function started(client: JamjetClient, document: JsonObject, input: JsonObject, labels = {}): Promise<string> {
  await client.registerWorkflow(document);
  const { execution_id } = await client.start({ workflow_id: String(document.workflow_id), input, labels });
  await client.execution(execution_id, { waitMs: 20_000 });
  return execution_id;
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

describe('the page of an execution', requires('chromium'), () => {
  const server = sharedServer({ tools: resolve('test/system/tools.mjs') });
  const open = consoleBrowser();
  const show = (id: string, search = '', options = {}): Promise<Page> => {
    const { url, token } = server();
    return open({ url, token, path: `/executions/${id}${search}`, ...options });
  };
  async function viewerToken(): Promise<string> {
    return (await server().client.createToken({ name: 'viewer', role: 'viewer' })).token;
  }

  it('approves with an edited state, which is checked against the state schema', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40, note: 'broken' });
    const page = await show(id, '?tab=approvals');
    await page.getByText('Refund 40?').waitFor();
    await page.getByRole('button', { name: 'Approve …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Edit the state' }).click();
    const editor = dialog.getByRole('textbox', { name: 'State' });
    const { state } = await client.execution(id);
    await replaceText(editor, json({ ...state, amount: -1 }));
    await dialog.getByRole('alert').getByText('amount must be >= 0').waitFor();
    expect(await dialog.getByRole('button', { name: 'Approve', exact: true }).isDisabled()).toBe(true);
    await replaceText(editor, '{ "amount": ');
    await dialog.getByRole('alert').waitFor();

    await replaceText(editor, json({ ...state, amount: 35, approver: 'ann' }));
    await dialog.getByRole('list', { name: 'Changes' }).getByText('/amount').waitFor();
    await dialog.getByLabel('Comment').fill('five less');
    await dialog.getByRole('button', { name: 'Approve', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });

    expect((await client.execution(id)).state).toMatchObject({ amount: 35, approver: 'ann', note: 'broken' });
    const { pending, decided } = await client.approvals(id);
    expect(pending).toEqual([]);
    expect(decided).toMatchObject([{ node_id: 'review', status: 'approved', comment: 'five less' }]);
    await page.getByRole('region', { name: 'Decided' }).getByText('five less').waitFor();
  });

  it('shows what a held tool would be given', async () => {
    const { client } = server();
    const document = ir(
      'held',
      { pay: tool('echo', { input_mapping: { total: '{{ state.amount }}', to: 'acme' } }) },
      [['pay', 'end']],
      {
        policy: { require_approval_for: ['echo'] },
      },
    );
    await client.registerWorkflow(document);
    const { execution_id: id } = await client.start({ workflow_id: 'held', input: { amount: 40 } });
    const page = await show(id, '?tab=approvals');
    await page.getByRole('button', { name: 'Approve …' }).click();
    const given = page.getByRole('dialog').getByRole('figure', { name: 'arguments of echo' }).locator('pre');
    expect(JSON.parse((await given.textContent()) ?? '')).toEqual({ total: 40, to: 'acme' });
    await page.getByRole('dialog').getByRole('button', { name: 'Approve', exact: true }).click();
    expect((await client.execution(id, { waitMs: 20_000 })).status).toBe('completed');
  });

  it('shows the state at every event as the API gives it, with what each step has changed', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40 });
    const page = await show(id, '?tab=state');
    const { sequence: last } = await client.execution(id);
    for (const at of [1, Math.ceil(last / 2), last - 1, last]) {
      await page.getByLabel('Sequence').fill(String(at));
      await page.getByLabel('Sequence').press('Enter');
      const past = await client.history.state(id, at);
      await expect.poll(() => page.getByTestId('state-sequence').textContent()).toBe(String(past.sequence));
      const shown = page.getByRole('region', { name: 'State', exact: true }).locator('pre');
      await expect.poll(async () => JSON.parse((await shown.textContent()) ?? '') as unknown).toEqual(past.state);
    }
    // By keyboard, on the slider; a step back ends where an earlier step does.
    await page.getByRole('slider', { name: 'Event' }).press('Home');
    await expect.poll(() => page.url()).toContain('at=1');
    await page.getByRole('button', { name: 'Next step' }).click();
    const [, second] = (await client.history.snapshots(id, { limit: 2 })).snapshots;
    await expect.poll(() => page.url()).toContain(`at=${second?.sequence}`);
    await page.getByLabel('Sequence').fill(String(last));
    await page.getByLabel('Sequence').press('Enter');
    await page.getByLabel('Compare with event').fill('1');
    await page.getByLabel('Compare with event').press('Enter');
    await page.getByRole('region', { name: 'Changes of the state' }).getByText('/order').waitFor();
  });

  it('lists the log as the API gives it, filters it, opens an event by a link, and downloads it', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40 });
    const events = await client.events(id);
    const page = await show(id, `?tab=events&event=${events.length}`);
    const list = page.getByRole('list', { name: 'Events' });
    await expect.poll(() => page.getByTestId('matching').textContent()).toBe(`${events.length} of ${events.length}`);
    const opened = events.at(-1);
    await list.getByText(opened?.created_at ?? '', { exact: true }).waitFor();
    expect(await list.getByRole('button', { expanded: true }).textContent()).toContain(opened?.type);

    await page.getByLabel('Kind').selectOption('node_started');
    const started_ = events.filter(({ type }) => type === 'node_started').length;
    await expect.poll(() => page.getByTestId('matching').textContent()).toBe(`${started_} of ${events.length}`);
    expect(page.url()).toContain('type=node_started');
    await page.getByLabel('Text').fill('nothing like this');
    await page.getByText('No event matches').waitFor();
    await page.getByRole('button', { name: 'Show all events' }).click();

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download', exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${id}.jsonl`);
    const lines = await streamText(await download.createReadStream());
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(events);
  });

  it('sends the event that a node waits for, and says when none does', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40 });
    const page = await show(id);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Send event …' }).click();
    await dialog.getByLabel('Key').fill('unheard');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await page
      .getByText(/no node waits/i)
      .last()
      .waitFor();

    await client.approve(id, { decision: 'approved' });
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Send event …' }).click();
    await dialog.getByRole('button', { name: 'payment' }).waitFor();
    expect(await dialog.getByLabel('Key').inputValue()).toBe('payment');
    await replaceText(dialog.getByRole('textbox', { name: 'Payload' }), '{"paid": 40}');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('Event delivered to paid.').waitFor();
    expect((await client.execution(id, { waitMs: 20_000 })).status).toBe('completed');
  });

  it('pauses with a reason, resumes, cancels, and offers only what the status allows', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40 });
    const page = await show(id);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByLabel('Reason').fill('lunch');
    await page.getByRole('dialog').getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('button', { name: 'Resume', exact: true }).waitFor();
    expect(await client.execution(id)).toMatchObject({ held: true, held_reason: 'lunch' });
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('dialog').getByText('It was paused: lunch').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    // The page may know of the resumption before the dialog has its answer.
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Reason').fill('a mistake');
    // Only one button of the dialog cancels.
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Cancel/ })
      .click();
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor({ state: 'detached' });
    expect(await client.execution(id)).toMatchObject({ status: 'cancelled', error: expect.stringContaining('a mistake') });
    expect(await page.getByRole('button', { name: 'Retry', exact: true }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Cancel', exact: true }).count()).toBe(0);
  });

  it('retries a failed execution, and verifies its log', async () => {
    const { client } = server();
    const log = `${process.env.TMPDIR ?? '/tmp'}/retried-${process.pid}-${Date.now()}`;
    const document = ir('retried', { pay: tool('failsOnce', { input_mapping: { log } }) }, [['pay', 'end']]);
    const id = await started(client, document, {});
    const page = await show(id);
    await page.getByRole('button', { name: 'Retry', exact: true }).click();
    await page.getByText('Runs again: pay.').waitFor();
    expect((await client.execution(id, { waitMs: 20_000 })).status).toBe('completed');
    await page.getByRole('button', { name: 'Retry', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Verify the log' }).click();
    await page.getByText(/^Verified: the \d+ events replay/).waitFor();
  });

  it('forks with a state patch, and says which decisions would have been made on another state', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40 });
    await client.approve(id, { decision: 'approved' });
    const { sequence } = await client.execution(id, { waitMs: 20_000 });
    const page = await show(id, `?fork=${sequence}`);
    const dialog = page.getByRole('dialog');
    const { state } = await client.execution(id);
    await replaceText(dialog.getByRole('textbox', { name: 'State' }), json({ ...state, amount: 10 }));
    await dialog.getByText('was shown another state').waitFor();
    const fork = dialog.getByRole('button', { name: 'Fork', exact: true });
    expect(await fork.isDisabled()).toBe(true);
    // An operator may keep them; going back before them needs no such right.
    await dialog.getByLabel(/Keep the decisions/).waitFor();
    await dialog.getByRole('button', { name: /before them/ }).click();
    await dialog.getByText('no decision was made before').waitFor();
    // What was edited goes on with the state there.
    await dialog.getByRole('list', { name: 'Changes' }).getByText('/amount').waitFor();
    await expect.poll(() => fork.isDisabled()).toBe(false);
    await fork.click();
    await expect.poll(() => page.url()).not.toContain(id);
    const forkId = /exec_[0-9a-f]{32}/.exec(page.url())?.[0] ?? '';
    expect(await client.execution(forkId, { waitMs: 20_000 })).toMatchObject({
      state: { amount: 10 },
      forked_from: { execution_id: id },
    });

    await page.goBack();
    await page.goto(`${server().url}/#/executions/${id}?tab=forks`);
    await page
      .getByRole('table', { name: 'Forks' })
      .getByRole('link', { name: forkId.slice(-8) })
      .waitFor();
  });

  it('runs again with an edited input and the same labels, once', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40 }, { team: 'shop' });
    const page = await show(id);
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Run again …' }).click();
    const dialog = page.getByRole('dialog');
    await replaceText(dialog.getByRole('textbox', { name: 'Input' }), '{"amount": "many"}');
    await dialog.getByText('amount must be number').waitFor();
    await replaceText(dialog.getByRole('textbox', { name: 'Input' }), '{"amount": 7}');
    const start = dialog.getByRole('button', { name: 'Start', exact: true });
    await expect.poll(() => start.isDisabled()).toBe(false);
    await start.dblclick();
    await expect.poll(() => page.url()).not.toContain(id);
    const { executions } = await client.executions({ label: 'team:shop', workflow_id: 'refund' });
    expect(executions).toHaveLength(2);
    expect(await client.execution(executions[0]?.id ?? '')).toMatchObject({ input: { amount: 7 }, labels: { team: 'shop' } });
  });

  it('shows a viewer everything and offers no action', async () => {
    const { client, url } = server();
    const id = await started(client, refund, { amount: 40 });
    const page = await open({ url, token: await viewerToken(), path: `/executions/${id}?tab=approvals` });
    await page.getByText('Refund 40?').waitFor();
    await page.getByRole('button', { name: 'More' }).click();
    expect(await page.getByRole('menuitem').allTextContents()).toEqual(['Verify the log']);
    await page.keyboard.press('Escape');
    for (const tab of ['State', 'Events']) {
      await page.getByRole('tab', { name: tab }).click();
      await page.getByRole('tabpanel').getByText(/\d/).first().waitFor();
    }
    const actions = /^(Approve|Reject|Pause|Resume|Cancel|Retry|Fork here|Send event|Run again)/;
    expect(await page.getByRole('button', { name: actions }).count()).toBe(0);
    await page.goto(`${url}/#/executions/${id}?fork=2`);
    await page.getByRole('tab', { name: 'Events' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  it('shows hostile names and values as text, and cuts large ones', async () => {
    const { client } = server();
    const document = ir('hostile', { [NODE]: { type: 'human_approval', description: `${HOSTILE}\n{{ state.long }}` } }, [
      [NODE, 'end'],
    ]);
    const id = await started(client, document, { [HOSTILE]: HOSTILE, long: 'x'.repeat(1_000_000) });
    const page = await show(id, '?tab=approvals');
    await page.getByRole('button', { name: 'Approve …' }).click();
    await page
      .getByRole('dialog')
      .getByText(/\\u202e/)
      .first()
      .waitFor();
    await page.getByRole('dialog').getByText('Cut: it is').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    for (const [tab, list] of [
      ['State', 'Changes'],
      ['Events', 'Events'],
    ] as const) {
      await page.getByRole('tab', { name: tab }).click();
      await page
        .getByRole('list', { name: list })
        .getByText(/\\u202e/)
        .first()
        .waitFor();
    }
    expect(await page.title()).not.toBe('taken');
    const shown = (await page.locator('body').textContent()) ?? '';
    expect(['\u202e', '\u001b'].filter((character) => shown.includes(character))).toEqual([]);
  });

  it('is accessible in both themes', async () => {
    const { client } = server();
    const id = await started(client, refund, { amount: 40 });
    const page = await show(id, '?tab=events&event=2');
    await page.getByRole('list', { name: 'Events' }).getByRole('button', { expanded: true }).waitFor();
    await expectAccessibleInBothThemes(page);
    await page.getByRole('tab', { name: 'State' }).click();
    await page.getByTestId('state-sequence').waitFor();
    await expectAccessibleInBothThemes(page);
    await page.getByRole('tab', { name: /Approvals/ }).click();
    await page.getByRole('button', { name: 'Approve …' }).click();
    await page.getByRole('button', { name: 'Edit the state' }).click();
    await page.getByRole('textbox', { name: 'State' }).waitFor();
    await expectAccessibleInBothThemes(page);
  });
});

async function streamText(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

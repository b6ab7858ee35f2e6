import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { expectAccessibleInBothThemes, expectAccessibleOnPhone, HOSTILE, HOSTILE_SHOWN } from '../support/console-page.ts';
import { type Server, startServer } from '../support/in-process-server.ts';
import { ir } from '../support/ir.ts';
import { requires } from '../support/requirements.ts';
import { temporaryFolder } from '../support/server.ts';

const TOOLS = `
import { durable } from 'jamjet-runtime';
export const score = ({ n }) => {
  if (n % 100 === 7) throw Object.assign(new Error('customer ' + n + ' is unknown'), { retryable: false });
  return { score: n * 2 };
};
let attempts = 0;
const definition = durable({
  id: 'onboarding',
  version: '1',
  run: async (ctx) => {
    const user = await ctx.step('create user', () => ({ id: 'u-1' }));
    await ctx.step('greet', () => {
      attempts += 1;
      if (attempts === 1) throw new Error('the mail server is busy');
      return 'sent';
    }, { retry: { initialDelay: 0 } });
    await ctx.step(${JSON.stringify(HOSTILE.replaceAll('\u001b', ''))}, () => { throw new Error('no such letter'); }, { retry: { maxAttempts: 1 } }).catch(() => {});
    await ctx.map('mail', Array.from({ length: 60 }), (_, index) => index);
    const paid = await ctx.event('payment');
    return { user: user.id, paid };
  },
});
export const onboarding = definition.tools.onboarding;
export const document = definition.document;
`;
const TALLY = { type: 'tool', tool_ref: 'score', input: { n: '{{ item }}' } };
const SCORES = ir(
  'scores',
  { score: { type: 'map', items: 'state.list', do: TALLY, on_item_error: 'collect', output_key: 'scores' } },
  [['score', 'end']],
);

describe('the panel of a node', requires('chromium'), () => {
  const folder = temporaryFolder();
  const open = consoleBrowser();
  let server: Server;
  beforeAll(async () => {
    const tools = join(folder, 'tools.mjs');
    writeFileSync(
      tools,
      TOOLS.replace("'jamjet-runtime'", JSON.stringify(new URL('../../dist/bundle/src/index.js', import.meta.url).pathname)),
    );
    server = await startServer({ folder, tools });
    await server.client.registerWorkflow(SCORES);
    const { document } = (await import(tools)) as { readonly document: never };
    await server.client.registerWorkflow(document);
  });
  afterAll(() => server?.kill());

  it('of a map counts its items, finds those that failed, and opens one', async () => {
    const { url, token, client } = server;
    const list = Array.from({ length: 200 }, (_, n) => n);
    const { execution_id: id } = await client.start({ workflow_id: 'scores', input: { list } });
    expect((await client.execution(id, { waitMs: 20_000 })).status).toBe('completed');
    const page = await open({ url, token, path: `/executions/${id}?node=score` });
    const panel = page.getByRole('region', { name: 'Node score' });
    await panel.getByText('200 of 200, 2 failed').waitFor();
    await panel.getByRole('combobox').selectOption('failed');
    const items = panel.getByRole('region', { name: 'Items' }).getByRole('listitem');
    await expect.poll(() => items.count()).toBe(2);
    await items.nth(1).getByRole('button').click();
    await panel.getByRole('heading', { name: 'Item 107' }).waitFor();
    await panel.getByText('customer 107 is unknown').first().waitFor();
    await expectAccessibleInBothThemes(page);
    await expectAccessibleOnPhone(page);
  });

  it('of a durable function lists its journal while it grows: name, attempts, result and time of each operation', async () => {
    const { url, token, client } = server;
    const { execution_id: id } = await client.start({ workflow_id: 'onboarding', input: {} });
    expect((await client.execution(id, { waitMs: 20_000 })).status).toBe('paused');
    const page = await open({ url, token, path: `/executions/${id}?node=run` });
    const panel = page.getByRole('region', { name: 'Node run' });
    const journal = panel.getByRole('region', { name: 'Operations' });
    await journal.getByText('64 operations').waitFor();
    await journal.getByText(', 1 failed').waitFor();
    const operation = (name: string) => journal.getByRole('button', { name });
    expect(await journal.getByRole('button', { name: HOSTILE_SHOWN.replace('\\u001b', '') }).textContent()).toContain('failed');
    await operation('greet').click();
    const greet = panel.getByRole('region', { name: 'Operation greet' });
    await greet.getByText('step, 2 attempts').waitFor();
    await greet.getByText('the mail server is busy').waitFor();
    await greet.getByText('"sent"').waitFor();
    await operation('create user').click();
    await panel.getByRole('region', { name: 'Operation create user' }).getByText('"u-1"').waitFor();
    await expectAccessibleInBothThemes(page);
    await journal.getByRole('button', { name: 'Later operations' }).click();
    expect(await operation('payment').textContent()).toContain('waiting');
    await client.sendEvent(id, { key: 'payment', payload: { by: 'ann' } });
    await operation('payment').click();
    const payment = panel.getByRole('region', { name: 'Operation payment' });
    await payment.getByText('"ann"').waitFor();
    expect(await operation('payment').textContent()).toContain('done');
    await expectAccessibleOnPhone(page);
  });
});

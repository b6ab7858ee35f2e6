import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import { accessibilityProblems } from '../support/accessibility.ts';
import { consoleBrowser } from '../support/browser.ts';
import { expectAccessibleInBothThemes } from '../support/console-page.ts';
import { replaceText } from '../support/editor.ts';
import { sharedServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';

const SCHEMA = {
  type: 'object',
  properties: {
    customer: { type: 'string', description: 'Who asks.' },
    amount: { type: 'number', minimum: 0, default: 10 },
    reason: { enum: ['damaged', 'late'] },
    express: { type: 'boolean' },
    items: { type: 'array', items: { type: 'string' } },
  },
  required: ['customer'],
};
const REFUND = {
  workflow_id: 'refund',
  version: '1.0.0',
  strict_input: true,
  state_schema: SCHEMA,
  nodes: {
    review: { kind: { type: 'human_approval', description: 'Refund {{ state.amount }}?', timeout_secs: 60 } },
    pay: { kind: { type: 'tool', tool_ref: 'pay' } },
  },
  edges: [{ from: 'review', to: 'pay' }],
};
const CHANGED = {
  ...REFUND,
  nodes: {
    review: { kind: { type: 'human_approval', description: 'Refund {{ state.amount }}?', timeout_secs: 90 } },
    book: { kind: { type: 'tool', tool_ref: 'book' } },
  },
  edges: [{ from: 'review', to: 'book' }],
};
const HOSTILE = '<script>alert(1)</script>/?#%2F\u202egnp.exe';

describe('workflows in the console', requires('chromium'), () => {
  const server = sharedServer();
  const open = consoleBrowser();
  const revisions: string[] = [];

  beforeAll(async () => {
    const { client } = server();
    for (const ir of [REFUND, CHANGED]) revisions.push((await client.registerWorkflow(ir as never)).revision);
    const nodes = { [HOSTILE]: { kind: { type: 'human_approval', description: 'x'.repeat(100_000) } } };
    const state_schema = { properties: { [HOSTILE]: { type: 'string', description: HOSTILE, default: HOSTILE } } };
    await client.registerWorkflow({ workflow_id: HOSTILE, version: HOSTILE, nodes, edges: [], state_schema } as never);
  });

  const at = (path: string, token = server().token): Promise<Page> =>
    // What the server refuses is shown, and reported by the browser.
    open({ url: server().url, token, path, expected: /status of 400/ });
  const settled = async (page: Page): Promise<void> => {
    await page.getByRole('heading', { level: 1 }).waitFor();
    await expect.poll(() => page.getByText(/^Loading /).count()).toBe(0);
  };
  const inputs = async (): Promise<readonly unknown[]> => {
    const { client } = server();
    const { executions } = await client.executions({ workflow_id: 'refund' });
    return Promise.all(executions.map(async ({ id }) => (await client.execution(id)).input));
  };

  it('lists the latest versions, as the API has them', async () => {
    const page = await at('/workflows');
    const { workflows } = await server().client.workflows();
    await expect.poll(() => page.getByRole('row').count()).toBe(workflows.length + 1);
    await page.getByLabel('Search workflows').fill('ref');
    await expect.poll(() => page.getByRole('row').count()).toBe(2);
    await page.getByRole('link', { name: 'refund' }).click();
    await page.getByRole('button', { name: /review/ }).waitFor();
    await page.getByRole('button', { name: /book/ }).click();
    await page.getByLabel('Selected node').getByText('"tool_ref": "book"').waitFor();
  });

  it('shows the machine, the findings, what is needed, the definition, and the revisions', async () => {
    const page = await at('/workflows/refund?view=machine');
    await page.getByAltText(/States and transitions/).waitFor();
    await expect.poll(() => page.evaluate('document.querySelector("main img").naturalWidth')).toBeGreaterThan(50);

    const { findings } = await server().client.findings('refund');
    expect(findings.length).toBeGreaterThan(0);
    await page.getByRole('tab', { name: 'Findings' }).click();
    await expect.poll(() => page.getByRole('list', { name: 'Findings' }).getByRole('listitem').count()).toBe(findings.length);
    await page
      .getByText(findings[0]?.message ?? '')
      .first()
      .waitFor();

    await page.getByRole('tab', { name: 'What it needs' }).click();
    await page.getByRole('row', { name: /Tool book book nothing at present/ }).waitFor();
    await page.getByRole('tab', { name: 'Definition' }).click();
    await page.getByLabel('document', { exact: true }).getByText('"strict_input": true').waitFor();

    await page.getByRole('tab', { name: 'Revisions' }).click();
    await expect.poll(() => page.getByRole('row').count()).toBe(revisions.length + 1);
    await page.getByRole('link', { name: revisions[0]?.slice(0, 12) ?? '', exact: true }).click();
    await page.getByRole('button', { name: /pay/ }).waitFor();
    expect(page.url()).toContain(`revision=${revisions[0]}`);
  });

  it('compares two revisions side by side', async () => {
    const page = await at('/workflows/refund?tab=compare');
    const [before, after] = [page.getByRole('region', { name: 'Before' }), page.getByRole('region', { name: 'After' })];
    await before.getByRole('button', { name: /pay.*removed/ }).waitFor();
    await before.getByRole('button', { name: /review.*changed/ }).waitFor();
    await after.getByRole('button', { name: /book.*added/ }).waitFor();
    const nodes = page.getByRole('region', { name: 'Nodes' });
    await nodes.getByText('/kind/timeout_secs').waitFor();
    await nodes.getByText('60', { exact: true }).waitFor();
    await nodes.getByText('90', { exact: true }).waitFor();
    await page.getByLabel('From').selectOption(revisions[1] ?? '');
    await page.getByLabel('To', { exact: true }).selectOption(revisions[0] ?? '');
    await after.getByRole('button', { name: /pay.*added/ }).waitFor();
  });

  it('starts an execution with an input from the state schema, once', async () => {
    const page = await at('/workflows');
    await page.getByRole('button', { name: 'Start an execution …' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Workflow').selectOption('refund');
    await dialog.getByLabel('amount').fill('-1');
    await dialog.getByLabel('reason').selectOption('late');
    await dialog.getByLabel('items').fill('["a"');
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
    await dialog.getByText('is required').waitFor();
    await dialog.getByText(/is no JSON/).waitFor();
    await dialog.getByLabel('customer').fill('Ada');
    await dialog.getByLabel('items').fill('["a"]');
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
    await dialog.getByText(/must be >= 0/).waitFor();
    await dialog.getByLabel('amount').fill('12.5');

    await dialog.getByRole('tab', { name: 'JSON' }).click();
    const json = dialog.getByRole('textbox', { name: 'Input' });
    await expect.poll(() => json.textContent()).toContain('"customer": "Ada"');
    await replaceText(json, '{"customer": 1, "more": true}');
    await dialog.getByText('customer must be string').waitFor();
    await replaceText(json, '{"customer": "Ada", "amount": 12.5, "reason": "late", "items": ["a"]}');
    await expect.poll(() => dialog.getByText('must be string').count()).toBe(0);
    await dialog.getByRole('tab', { name: 'Form' }).click();
    expect(await dialog.getByLabel('amount').inputValue()).toBe('12.5');
    await dialog.getByLabel('Labels').fill('team:a, url:http://x');
    await dialog.getByRole('button', { name: 'Start', exact: true }).dblclick();
    await expect.poll(() => page.url()).toMatch(/\/executions\/exec_[0-9a-f]{32}$/);
    expect(await inputs()).toEqual([{ customer: 'Ada', amount: 12.5, reason: 'late', items: ['a'] }]);
    const { labels } = await server().client.execution(page.url().split('/').at(-1) ?? '');
    expect(labels).toEqual({ team: 'a', url: 'http://x' });
  });

  it('registers what is pasted, and says where it is wrong', async () => {
    const page = await at('/workflows');
    await page.getByRole('button', { name: 'Register a workflow …' }).click();
    const dialog = page.getByRole('dialog');
    const yaml =
      'workflow:\n  id: pasted\n  version: 1.0.0\nnodes:\n  greet:\n    type: tool\n    tool: hello\n    next: nowhere\n';
    await dialog.getByLabel('Text').fill(yaml);
    await dialog.getByRole('button', { name: 'Register', exact: true }).click();
    await dialog.getByRole('button', { name: /^Line 8/ }).click();
    expect(await page.evaluate('String(getSelection())')).toContain('nowhere');
    await dialog.getByLabel('File').setInputFiles({
      name: 'pasted.json',
      mimeType: 'application/json',
      buffer: Buffer.from(JSON.stringify({ ...REFUND, workflow_id: 'pasted' } satisfies JsonObject)),
    });
    await expect.poll(() => dialog.getByLabel('Text').inputValue()).toContain('"pasted"');
    await dialog.getByRole('button', { name: 'Register', exact: true }).click();
    const opened = dialog.getByRole('button', { name: 'Open' });
    const registered = page.getByRole('heading', { name: 'pasted', level: 1 });
    await registered.or(opened).first().waitFor();
    if (await opened.isVisible()) await opened.click();
    await registered.waitFor();
    expect((await server().client.workflow('pasted')).ir).toMatchObject({ strict_input: true });
  });

  it('lets a viewer look, and neither start nor register', async () => {
    const { token } = await server().client.createToken({ role: 'viewer', name: 'eyes' });
    const page = await at('/workflows/refund?start=1', token);
    await page.getByRole('button', { name: /book/ }).waitFor();
    expect(await page.getByRole('button', { name: /Start/ }).count()).toBe(0);
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByRole('link', { name: 'Workflows' }).click();
    await page.getByRole('link', { name: 'refund', exact: true }).waitFor();
    expect(await page.getByRole('button', { name: /Start|Register/ }).count()).toBe(0);
  });

  it('is unharmed by hostile names, in both themes and on a phone', async () => {
    const page = await at('/workflows');
    await page.getByRole('link', { name: /script/ }).click();
    await page.getByRole('button', { name: /script/ }).click();
    await page.getByLabel('Selected node').getByText('"kind"').waitFor();
    for (const tab of ['Structure', 'Findings', 'What it needs', 'Definition', 'Revisions', 'Compare']) {
      await page.getByRole('tab', { name: tab }).click();
      await settled(page);
      await expectAccessibleInBothThemes(page);
    }
    await page.setViewportSize({ width: 360, height: 740 });
    for (const tab of ['Structure', 'Revisions']) {
      await page.getByRole('tab', { name: tab }).click();
      await settled(page);
      expect([tab, await page.evaluate('document.documentElement.scrollWidth - innerWidth')]).toEqual([tab, 0]);
    }
    await page.getByRole('button', { name: 'Start …' }).click();
    await page.getByRole('dialog').getByRole('textbox').first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();
    await expect.poll(() => page.url()).toMatch(/\/executions\/exec_/);
    const [execution] = (await server().client.executions({ workflow_id: HOSTILE })).executions;
    expect((await server().client.execution(execution?.id ?? '')).input).toEqual({ [HOSTILE]: HOSTILE });
  });
});

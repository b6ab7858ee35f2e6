import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { expectAccessibleInBothThemes, expectAccessibleOnPhone } from '../support/console-page.ts';
import { type Server, startServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';
import { temporaryFolder } from '../support/server.ts';

const TOOLS = `
let release = () => {};
let held = new Promise((resolve) => { release = resolve; });
export const reserve = async ({ wait }) => { if (wait) await held; return { reserved: true }; };
export const open_gate = async () => { release(); return {}; };
let isBroken = true;
export const fragile = async () => {
  if (isBroken) { isBroken = false; throw new Error('broken'); }
  return {};
};
let isUnreachable = true;
export const charge = async ({ flaky }) => {
  if (flaky && isUnreachable) {
    isUnreachable = false;
    throw new Error('the bank is unreachable', { cause: new TypeError('socket hang up') });
  }
  return { charged: 2 };
};
`;

const ORDER = `
workflow: { id: order, version: 1.0.0, start: reserve }
retry_policies:
  again: { max_attempts: 3, backoff: constant, initial_delay: 10ms }
nodes:
  reserve: { type: tool, tool_ref: reserve, input: { wait: "{{ state.live }}" }, output_key: stock, next: charge }
  charge: { type: tool, tool_ref: charge, input: { flaky: "{{ state.live }}" }, output_key: payment, retry_policy: again, next: rich }
  rich:
    type: condition
    branches: [{ if: "state.payment.charged > 1", next: approve }]
    default: end
  approve: { type: human_approval, description: "Ship it?", next: end }
`;
const FRAGILE = `
workflow: { id: fragile, version: 1.0.0 }
nodes:
  fragile: { type: tool, input: {}, retry_policy: no_retry, next: end }
`;
const FAMILY = `
workflow: { id: family, version: 1.0.0 }
nodes:
  child: { type: subgraph, workflow: gate, next: end }
`;
const PICK = `
workflow: { id: pick, version: 1.0.0 }
nodes:
  pick: { type: coordinator, task: Write, required_skills: [write], preferred_skills: [research], output_key: writer, next: end }
`;
const GATE = `
workflow: { id: gate, version: 1.0.0 }
nodes:
  open_gate: { type: tool, input: {}, next: end }
`;

describe('the page of an execution', requires('chromium'), () => {
  const folder = temporaryFolder();
  const open = consoleBrowser();
  let server: Server;
  beforeAll(async () => {
    writeFileSync(join(folder, 'tools.mjs'), TOOLS);
    server = await startServer({ folder, tools: join(folder, 'tools.mjs') });
    await server.client.registerYaml(ORDER);
    await server.client.registerYaml(GATE);
    await server.client.registerYaml(FAMILY);
    await server.client.registerYaml(FRAGILE);
  });
  afterAll(() => server?.kill());
  /** An order that waits for its approval. */
  const waitingOrder = async (): Promise<string> => {
    const { execution_id: id } = await server.client.start({ workflow_id: 'order', input: { live: false } });
    expect((await server.client.execution(id, { waitMs: 20_000 })).status).toBe('paused');
    return id;
  };

  it('shows a run live: statuses in the graph, attempts with errors, what the API says of a node', async () => {
    const { url, token, client } = server;
    const { execution_id: id } = await client.start({ workflow_id: 'order', input: { live: true } });
    const page = await open({ url, token, path: `/executions/${id}?node=charge` });
    const graph = page.getByRole('region', { name: 'Workflow' });
    const node = (name: string) => graph.getByRole('button', { name: new RegExp(`\\b${name}\\b`) });
    await expect.poll(() => node('reserve').getAttribute('data-status')).toBe('active');
    expect(await node('approve').getAttribute('data-status')).toBe('none');
    await page.getByText('It has not been reached.').waitFor();

    await client.start({ workflow_id: 'gate' });
    await expect.poll(() => node('approve').getAttribute('data-status')).toBe('waiting');
    expect(await node('charge').textContent()).toContain('1 retry');
    await page.getByRole('main').getByText('paused', { exact: true }).first().waitFor();
    await expect.poll(() => page.getByTestId('event-count').textContent()).toBe(String((await client.execution(id)).sequence));

    const panel = page.getByRole('region', { name: 'Node charge' });
    const { visits } = await client.node(id, 'charge');
    const attempts = visits.flatMap((visit) => visit.attempts);
    expect(attempts.map(({ status }) => status)).toEqual(['failed', 'done']);
    expect(await panel.getByRole('navigation').getByRole('button').count()).toBe(attempts.length);
    await panel.getByRole('figure', { name: 'Output' }).getByText('"charged": 2').waitFor();
    await panel.getByRole('button', { name: /attempt 1/i }).click();
    await panel.getByText('the bank is unreachable').waitFor();
    await panel.getByText('Caused by: TypeError: socket hang up').waitFor();
    expect(page.url()).toContain('attempt=1.0');

    // Edges that were followed, and the condition that led there.
    await node('rich').click();
    await page.getByRole('region', { name: 'Node rich' }).getByRole('cell', { name: 'state.payment.charged > 1' }).waitFor();
    expect(await graph.locator('[data-taken="1"]').count()).toBe(4);
    expect(await graph.locator('[data-taken="0"]').count()).toBe(2);
  });

  it('leads from a parent to its child and back, and gives its picture', async () => {
    const { url, token, client } = server;
    const { execution_id: id } = await client.start({ workflow_id: 'family' });
    await client.execution(id, { waitMs: 20_000 });
    const page = await open({ url, token, path: `/executions/${id}?node=child` });
    await page.getByText('Child execution', { exact: true }).waitFor();
    await page.getByRole('region', { name: 'Node child' }).getByRole('link').click();
    await page.getByRole('heading', { name: 'gate completed' }).waitFor();
    await page
      .getByRole('main')
      .getByRole('link', { name: `…${id.slice(-8)}` })
      .click();
    await page.getByRole('heading', { name: 'family completed' }).waitFor();
    expect(page.url()).toBe(`${url}/#/executions/${id}`);

    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the picture as SVG' }).click();
    expect((await saved).suggestedFilename()).toBe(`${id}.svg`);
    await page.getByRole('button', { name: 'Machine' }).click();
    const picture = page.getByRole('img', { name: /compiled machine/ });
    await expect
      .poll(() => picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
      .toBeGreaterThan(100);
  });

  it('copies its id and a link to what is shown, also where the browser has no clipboard', async () => {
    const { url, token, client } = server;
    const { execution_id: id } = await client.start({ workflow_id: 'family' });
    const context = { permissions: ['clipboard-read', 'clipboard-write'] };
    const page = await open({ url, token, path: `/executions/${id}?node=child`, context });
    const copied = () => page.evaluate<string>('navigator.clipboard.readText()');
    await page.getByRole('button', { name: 'Copy the id' }).click();
    await expect.poll(copied).toBe(id);
    await page.getByRole('button', { name: 'Copy a link to this view' }).click();
    await expect.poll(copied).toBe(`${url}/#/executions/${id}?node=child`);

    await page.evaluate(
      "window.clipboard = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', { value: undefined })",
    );
    await page.getByRole('button', { name: 'Copy the id' }).click();
    await expect.poll(() => page.evaluate<string>('clipboard.readText()')).toBe(id);
  });

  it('shows the graph and the nodes as they were at an earlier event', async () => {
    const { url, token, client } = server;
    const id = await waitingOrder();
    const events = await client.events(id);
    const at = events.find(({ type, node_id }) => type === 'node_started' && node_id === 'charge')?.sequence ?? 0;
    const { active } = await client.history.state(id, at);
    expect(active.map(({ node_id, phase }) => [node_id, phase])).toEqual([['charge', 'running']]);

    const page = await open({ url, token, path: `/executions/${id}?at=${at}&view=list&node=approve` });
    const row = (name: string) => page.getByRole('row', { name: new RegExp(`^${name} `) });
    await row('charge').getByText('active').waitFor();
    await row('reserve').getByText('done').waitFor();
    await page.getByText('It has not been reached.').waitFor();
    await page.getByRole('button', { name: 'Now' }).click();
    await row('approve').getByText('waiting').waitFor();
    await page.getByRole('region', { name: 'Node approve' }).getByText('Ship it?').first().waitFor();
  });

  it('goes on when a failed execution is retried', async () => {
    const { url, token, client } = server;
    const { execution_id: id } = await client.start({ workflow_id: 'fragile' });
    await client.execution(id, { waitMs: 20_000 });
    const page = await open({ url, token, path: `/executions/${id}` });
    await page.getByRole('heading', { name: 'fragile failed' }).waitFor();
    await page.getByRole('button', { name: 'Show the error' }).click();
    await page.getByRole('region', { name: 'Error' }).getByText('broken').waitFor();
    await client.retry(id);
    await page.getByRole('heading', { name: 'fragile completed' }).waitFor();
    await expect.poll(() => page.locator('[data-node="n0"]').getAttribute('data-status')).toBe('done');
    await expect.poll(() => page.getByTestId('event-count').textContent()).toBe(String((await client.execution(id)).sequence));
  });

  it('shows how a coordinator scored agents', async () => {
    const { url, token, client } = server;
    await client.registerYaml(PICK);
    for (const [id, skills] of [
      ['writer', ['write']],
      ['editor', ['write', 'research']],
    ] as const) {
      const card = { id, uri: `https://${id}.example.com`, name: id, version: '1' };
      await client.agents.register({ ...card, capabilities: { skills: skills.map((name) => ({ name, description: name })) } });
      await client.agents.activate(id);
    }
    const { execution_id: id } = await client.start({ workflow_id: 'pick' });
    await client.execution(id, { waitMs: 20_000 });
    const page = await open({ url, token, path: `/executions/${id}?node=pick` });
    const scores = page.getByRole('region', { name: 'Scores' }).getByRole('row');
    await scores.filter({ hasText: 'https://editor.example.com' }).getByText('0.70').waitFor();
    expect(await scores.count()).toBe(3);
  });

  it('is usable by keyboard', async () => {
    const { url, token } = server;
    const id = await waitingOrder();
    const page = await open({ url, token, path: `/executions/${id}` });
    const graph = page.getByRole('region', { name: 'Workflow' });
    await graph.locator('[data-node="n0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Node charge' }).waitFor();
    await page.goBack();
    await expect.poll(() => page.getByRole('region', { name: 'Node charge' }).count()).toBe(0);

    // In the timeline: from the first node to the second, and through its attempts.
    await page
      .getByRole('tabpanel')
      .getByRole('button', { name: /^reserve/ })
      .focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.getByRole('tabpanel').getByText('attempt 1 done', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Node charge' }).waitFor();
  });

  it('has no barrier that axe finds, in both themes and on a phone', async () => {
    const { url, token } = server;
    const id = await waitingOrder();
    const page = await open({ url, token, path: `/executions/${id}?node=charge` });
    await page.getByRole('region', { name: 'Node charge' }).waitFor();
    await page.locator('[data-node="n1"]').waitFor();
    await expectAccessibleInBothThemes(page);
    await expectAccessibleOnPhone(page);
  });

  it('says when there is no such execution', async () => {
    const { url, token } = server;
    const page = await open({ url, token, path: '/executions/exec_00000000000000000000000000000000', expected: /404/ });
    await page.getByRole('heading', { name: 'There is no such execution' }).waitFor();
  });
});

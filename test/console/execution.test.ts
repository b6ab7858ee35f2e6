import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consoleBrowser } from '../support/browser.ts';
import { requires } from '../support/requirements.ts';
import { type Server, startServer, temporaryFolder } from '../support/server.ts';

const TOOLS = `
let release = () => {};
let held = new Promise((resolve) => { release = resolve; });
export const reserve = async (input, { signal }) => { await held; return { reserved: true }; };
export const open_gate = async () => { release(); return {}; };
let charges = 0;
export const charge = async () => {
  charges += 1;
  if (charges === 1) throw new Error('the bank is away', { cause: new TypeError('socket hang up') });
  return { charged: charges };
};
`;

const ORDER = `
workflow: { id: order, version: 1.0.0, start: reserve }
retry_policies:
  again: { max_attempts: 3, backoff: constant, initial_delay: 10ms }
nodes:
  reserve: { type: tool, tool_ref: reserve, input: {}, output_key: stock, next: charge }
  charge: { type: tool, tool_ref: charge, input: { n: 7 }, output_key: payment, retry_policy: again, next: rich }
  rich:
    type: condition
    branches: [{ if: "state.payment.charged > 1", next: approve }]
    default: end
  approve: { type: human_approval, description: "Ship it?", next: end }
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
  });
  afterAll(() => server?.kill());

  it('shows a run live: statuses in the graph, attempts with errors, what the API says of a node', async () => {
    const { url, token, client } = server;
    const { execution_id: id } = await client.start({ workflow_id: 'order' });
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
    await panel.getByText('the bank is away').waitFor();
    await panel.getByText('Caused by: TypeError: socket hang up').waitFor();
    expect(page.url()).toContain('attempt=1.0');

    // Edges that were followed, and the condition that led there.
    await node('rich').click();
    await page.getByRole('region', { name: 'Node rich' }).getByRole('cell', { name: 'state.payment.charged > 1' }).waitFor();
    expect(await graph.locator('[data-taken="1"]').count()).toBe(4);
    expect(await graph.locator('[data-taken="0"]').count()).toBe(2);
  });
});

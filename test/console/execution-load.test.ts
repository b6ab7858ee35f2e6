import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JamjetClient } from '../../src/client/index.ts';
import { consoleBrowser } from '../support/browser.ts';
import { countFrames, leastRate } from '../support/frame-rate.ts';
import { requires } from '../support/requirements.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const TOOLS = `
export const quick = () => 1;
export const count = ({ i }) => ({ i: i + 1 });
`;
/** Each has a node that forks, three in parallel and one that joins. */
const BLOCKS = 60;
const ROUNDS = 12;

/** 302 nodes in a loop, which begins with an event: more than 10,000 events. */
function large(): string {
  const blocks = Array.from({ length: BLOCKS }, (_, i) => {
    const next = i + 1 < BLOCKS ? `fork_${i + 1}` : 'again';
    const steps = ['a', 'b', 'c'].map(
      (name) => `  ${name}_${i}: { type: tool, tool_ref: quick, input: {}, output_key: ${name} }`,
    );
    return [
      `  fork_${i}: { type: parallel, branches: [a_${i}, b_${i}, c_${i}], join: join_${i} }`,
      ...steps,
      `  join_${i}: { type: join, wait_for: [a_${i}, b_${i}, c_${i}], next: ${next} }`,
    ].join('\n');
  });
  return `workflow: { id: large, version: 1.0.0, start: begin }
nodes:
  begin: { type: wait, event: go, next: count }
  count: { type: tool, tool_ref: count, input: { i: "{{ state.i }}" }, next: fork_0 }
${blocks.join('\n')}
  again:
    type: condition
    branches: [{ if: "state.i < ${ROUNDS}", next: count }]
    default: end
`;
}

const LOOP = `
workflow: { id: loop, version: 1.0.0, start: count }
nodes:
  count: { type: tool, tool_ref: count, input: { i: "{{ state.i }}" }, next: enough }
  enough:
    type: condition
    branches: [{ if: "state.i < 40", next: pause }]
    default: end
  pause: { type: wait, event: go, next: count }
`;

/** The loaded events: the first number of `83` and of `83 of 87`. */
const eventCount = async (page: Page): Promise<number> =>
  Number((await page.getByTestId('event-count').textContent())?.split(' ')[0]?.replace(/\D/g, ''));
const lastSequence = async (client: JamjetClient, id: string): Promise<number> => (await client.execution(id)).sequence;

describe('a large or interrupted execution in the console', requires('chromium'), () => {
  const open = consoleBrowser();
  const withTools = (): { readonly folder: string; readonly tools: string } => {
    const folder = temporaryFolder(onTestFinished);
    writeFileSync(join(folder, 'tools.mjs'), TOOLS);
    return { folder, tools: join(folder, 'tools.mjs') };
  };

  it('draws at least a third of the frames of an empty page while 300 nodes write 10,000 events', async () => {
    const { url, token, client } = await startServer(withTools());
    await client.registerYaml(large());
    const { execution_id: id } = await client.start({ workflow_id: 'large', input: { i: 0 } });
    const page = await open({ url, token, path: `/executions/${id}` });
    await page.locator('[data-node="n0"]').waitFor();
    const frameRate = await countFrames(page);
    const first = await eventCount(page);
    await client.sendEvent(id, { key: 'go', payload: {} });
    await expect.poll(() => client.execution(id).then(({ status }) => status)).toBe('completed');
    const total = await lastSequence(client, id);
    await expect.poll(() => eventCount(page)).toBe(total);
    const rate = await frameRate();
    console.log(
      `${total - first} events live at ${rate.drawn.toFixed(1)} frames per second; an empty page: ${rate.empty.toFixed(1)}`,
    );
    expect(total - first).toBeGreaterThan(10_000);
    expect(rate.drawn).toBeGreaterThanOrEqual(leastRate(rate));
    // What it shows is what the API says.
    const { visits_total } = await client.node(id, 'a_59');
    expect(await page.locator('[data-node]', { hasText: 'a_59' }).textContent()).toContain(`×${visits_total}`);
  });

  it('goes on behind the last event when the server was restarted, and doubles nothing', async () => {
    const place = withTools();
    const before = await startServer(place);
    const { url, token, client } = before;
    await client.registerYaml(LOOP);
    const { execution_id: id } = await client.start({ workflow_id: 'loop', input: { i: 0 } });
    const page = await open({ url, token, path: `/executions/${id}?node=count`, expected: /ERR_|Failed to load/ });
    const attempts = page.getByRole('navigation', { name: 'Attempts of count' }).getByRole('button');
    const go = (): Promise<unknown> => client.sendEvent(id, { key: 'go', payload: {} });
    for (let i = 0; i < 5; i++) await go();
    await expect.poll(() => attempts.count()).toBe(6);
    // Its code and styles are loaded by then.
    await page.locator('.react-flow__node').first().waitFor();

    await before.kill();
    await page.getByText('offline').first().waitFor();
    const after = await startServer({ ...place, port: Number(new URL(url).port) });
    for (let i = 0; i < 5; i++) await after.client.sendEvent(id, { key: 'go', payload: {} });
    await expect.poll(() => attempts.count()).toBe(11);
    // The last visit writes events after its attempt begins.
    const isLoaded = async (): Promise<boolean> => (await eventCount(page)) === (await lastSequence(after.client, id));
    await expect.poll(isLoaded).toBe(true);
    const { visits_total } = await after.client.node(id, 'count');
    expect(visits_total).toBe(11);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dictated } from '../executors/dictated-provider.ts';
import { consoleBrowser } from '../support/browser.ts';
import { startServer } from '../support/in-process-server.ts';
import { requires } from '../support/requirements.ts';
import { temporaryFolder } from '../support/server.ts';

const POEM = `
workflow: { id: poem, version: 1.0.0 }
nodes:
  write: { type: model, model: openai/gpt-4o, prompt: "A poem", output_key: poem, next: end }
`;

const SCRIPT = '"><script>document.title = 1</script>';
const TURNED = 'gnp.\u202eexe';
const ESCAPES = '\u001b[31mred\u001b]0;title\u0007';
const HOSTILE = {
  workflow_id: 'hostile',
  version: SCRIPT,
  name: SCRIPT,
  start_node: SCRIPT,
  nodes: {
    [SCRIPT]: { kind: { type: 'tool', tool_ref: 'shout', input: { text: ESCAPES } }, description: TURNED },
    [TURNED]: { kind: { type: 'tool', tool_ref: 'fail', input: {} } },
  },
  edges: [
    { from: SCRIPT, to: TURNED, condition: `state.size > 1 and "${TURNED}" != "<img src=x onerror=alert(1)>"` },
    { from: TURNED, to: 'end' },
  ],
};
const HOSTILE_TOOLS = `
export const shout = () => ({ size: 2, html: ${JSON.stringify(SCRIPT)}, text: 'x'.repeat(1_000_000) });
export const fail = () => { throw Object.assign(new Error(${JSON.stringify(`${SCRIPT} ${TURNED} ${ESCAPES}`)}), { name: ${JSON.stringify(TURNED)} }); };
`;

describe('texts on the page of an execution', requires('chromium'), () => {
  const open = consoleBrowser();

  it('shows what a model writes while it writes, and the whole when it has', async () => {
    const provider = await dictated();
    const server = await startServer({
      folder: temporaryFolder(onTestFinished),
      env: { OPENAI_API_KEY: 'key', OPENAI_BASE_URL: provider.models.providers.openai.baseUrl },
    });
    const { url, token, client } = server;
    await client.registerYaml(POEM);
    const { execution_id: id } = await client.start({ workflow_id: 'poem' });
    await expect.poll(() => provider.responses.length).toBe(1);
    provider.send({ content: 'Rain on ' });

    const page = await open({ url, token, path: `/executions/${id}?node=write` });
    const text = page.getByRole('region', { name: 'Text so far' });
    await expect.poll(() => text.textContent()).toBe('Rain on');
    provider.send({ content: 'the roof' });
    await expect.poll(() => text.textContent()).toBe('Rain on the roof');
    provider.end();
    await page.getByRole('figure', { name: 'Output' }).getByText('Rain on the roof').waitFor();
    expect(await text.count()).toBe(0);
    await page.getByText('openai · gpt-4o').waitFor();
  });

  it('lets no name or value do harm', async () => {
    const folder = temporaryFolder(onTestFinished);
    writeFileSync(join(folder, 'tools.mjs'), HOSTILE_TOOLS);
    const { url, token, client } = await startServer({ folder, tools: join(folder, 'tools.mjs') });
    await client.registerWorkflow(HOSTILE);
    const labels = { [TURNED]: SCRIPT };
    const { execution_id: id } = await client.start({ workflow_id: 'hostile', input: { [SCRIPT]: TURNED }, labels });
    await client.execution(id, { waitMs: 20_000 });

    const page = await open({ url, token, path: `/executions/${id}?node=${encodeURIComponent(SCRIPT)}` });
    const panel = page.getByRole('region', { name: 'Node "><script>' });
    await panel.getByRole('figure', { name: 'Output' }).waitFor();
    await panel.getByText('1,000,000 characters').waitFor();
    await panel.getByRole('button', { name: 'gnp.\\u202eexe' }).last().click();
    await page.getByRole('region', { name: 'Error' }).getByText('\\u001b[31mred').waitFor();
    await page.getByRole('button', { name: 'List' }).click();
    expect(await page.getByRole('table').first().getByRole('row').count()).toBe(3);
    // Nothing of it became an element, or a character that turns or hides what stands beside it.
    const shown = (await page.locator('body').textContent()) ?? '';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be shown
    expect(shown).not.toMatch(/[\u202e\u001b\u0007]/);
    expect(await page.locator('main script, main img').count()).toBe(0);
    expect(await page.title()).toContain('hostile');
  });
});

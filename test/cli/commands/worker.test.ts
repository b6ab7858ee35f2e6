import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer({});

const QUOTE = {
  workflow_id: 'quote',
  version: '1',
  nodes: { draft: { kind: { type: 'tool', tool_ref: 'draft_quote' } } },
  edges: [{ from: 'draft', to: 'end' }],
};
const MODULE = `export const draft_quote = ({ n }) => { if (n < 0) throw Object.assign(new Error('n is negative'), { retryable: false }); return { total: n }; };`;

describe('jamjet worker', () => {
  it('serves the functions of a module until it is stopped, and says what it does', async () => {
    const { client, folder, jamjet } = server();
    writeFileSync(join(folder, 'tools.mjs'), MODULE);
    await client.registerWorkflow(QUOTE);
    const worker = jamjet('worker ./tools.mjs --id w1 --concurrency 2');
    await worker.shows('w1 serves 1 function on');
    const good = await client.start({ workflow_id: 'quote', input: { n: 3 } });
    expect(await client.execution(good.execution_id, { waitMs: 30_000 })).toMatchObject({
      status: 'completed',
      state: { total: 3 },
    });
    const bad = await client.start({ workflow_id: 'quote', input: { n: -1 } });
    expect((await client.execution(bad.execution_id, { waitMs: 30_000 })).status).toBe('failed');
    await worker.shows('n is negative');
    worker.signals.emit('SIGTERM');
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(stdout).toContain(`! ${bad.execution_id} draft  attempt failed: n is negative`);
    expect(stdout).toContain('worker stopped');
  });

  it.each([
    ['worker ./missing.mjs', /missing\.mjs: no such file/],
    ['worker ./tools.mjs --concurrency 0', /--concurrency/],
    ['worker ./tools.mjs --runtime nowhere', /is not an http:\/\/ or https:\/\/ URL/],
  ])('refuses %s', async (line, message) => {
    writeFileSync(join(server().folder, 'tools.mjs'), MODULE);
    const { code, stderr } = await server().jamjet(line).ended;
    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });

  it('ends when its token is refused', async () => {
    writeFileSync(join(server().folder, 'tools.mjs'), MODULE);
    const { code, stderr } = await server().jamjet('worker ./tools.mjs', { env: { JAMJET_TOKEN: 'jj_wrong' } }).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('invalid or expired token');
  });
});

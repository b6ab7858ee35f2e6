import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { mcpHttpServer } from '../../executors/mcp/http-server.ts';
import { CALLER, databasePath, openTestRuntime } from '../../support/runtimes.ts';

const STDIO_SERVER = join(import.meta.dirname, '../../executors/mcp/stdio-server.mjs');
const twice = { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0 };
const workflow = (kind: JsonObject, more: JsonObject = {}): JsonObject => ({
  workflow_id: 'w',
  version: '1',
  retry_policies: { twice },
  nodes: { ask: { kind: { type: 'mcp_tool', server: 's', ...kind }, retry_policy: 'twice' } },
  edges: [{ from: 'ask', to: 'end' }],
  ...more,
});

function reports(): { readonly path: string; lines(): string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'reports');
  return { path, lines: () => readFileSync(path, { encoding: 'utf8', flag: 'a+' }).trim().split('\n') };
}

it('an execution calls a tool of a server that its document names', async () => {
  const server = await mcpHttpServer('sse-replies');
  const { run, settled, timeline } = await openTestRuntime({ allowPrivateAddresses: true });
  const kind = { tool: 'say', input_mapping: { text: '{"said": "{{ state.text }}"}' }, output_key: 'answer' };
  const id = await run(workflow(kind, { mcp_servers: { s: { transport: 'http_sse', url: server.url } } }), { text: 'tea' });
  expect(await settled(id)).toMatchObject({ status: 'completed', state: { text: 'tea', answer: { said: 'tea' } } });
  expect(await timeline(id)).toContain('tool_call_completed ask');
});

it('an execution calls a command of the operator, and fails when the tool fails again and again', async () => {
  const mcpServers = { s: { command: process.execPath, args: [STDIO_SERVER] } };
  const { run, settled } = await openTestRuntime({ mcpServers });
  expect(await settled(await run(workflow({ tool: 'both' })))).toMatchObject({
    status: 'completed',
    state: { ask: [{ text: 'one' }, { text: 'two' }] },
  });
  const failed = await settled(await run(workflow({ tool: 'fails' })));
  expect(failed).toMatchObject({ status: 'failed' });
});

it('a call is cancelled with its execution', async () => {
  const reported = reports();
  const mcpServers = { s: { command: process.execPath, args: [STDIO_SERVER, reported.path] } };
  const { run, runtime } = await openTestRuntime({ mcpServers });
  const id = await run(workflow({ tool: 'hangs' }));
  await expect.poll(reported.lines).toContain('hanging');
  await runtime.cancel(CALLER, id, 'enough');
  await expect.poll(reported.lines).toContain('cancelled');
});

it('a call that a stop interrupts is made again by the next runtime, with the same key', async () => {
  const reported = reports();
  const path = databasePath();
  const first = await openTestRuntime({
    path,
    mcpServers: { s: { command: process.execPath, args: [STDIO_SERVER, reported.path] } },
  });
  const id = await first.run(workflow({ tool: 'hangs' }));
  await expect.poll(reported.lines).toContain('hanging');
  await first.close();
  const server = await mcpHttpServer('json-replies');
  const second = await openTestRuntime({ path, mcpServers: { s: { url: server.url } } });
  await server.reported('hanging');
  const [call] = server.bodies.filter(({ method }) => method === 'tools/call');
  expect(call).toMatchObject({ params: { _meta: { 'jamjet/execution-id': id } } });
  await second.close();
});

it('a document may not name a command', async () => {
  const { run, settled } = await openTestRuntime();
  const command = { transport: 'stdio', command: process.execPath, args: ['-e', 'process.exit()'] };
  const { status, error } = await settled(await run(workflow({ tool: 'say' }, { mcp_servers: { s: command } })));
  expect({ status, error }).toMatchObject({ status: 'failed' });
});

it.each([['s.say'], ['say'], ['s.*']])('a policy blocks the tool as %s', async (blocked) => {
  const { run, settled, timeline } = await openTestRuntime();
  const id = await run(workflow({ tool: 'say' }, { policy: { blocked_tools: [blocked] } }));
  expect(await settled(id)).toMatchObject({ status: 'failed' });
  expect(await timeline(id)).toContain('policy_violation ask');
});

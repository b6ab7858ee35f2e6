import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JamjetClient } from '../../src/client/index.ts';
import { ir, tool } from '../support/ir.ts';
import { program } from '../support/program.ts';
import { startServer, temporaryFolder } from '../support/server.ts';
import { eventually } from './recorded-calls.ts';

const JAMJET = resolve('bin/jamjet.js');
const CODE = new URL('./unhandled-code.mjs', import.meta.url).pathname;
const TIMES = { once: { max_attempts: 1 }, twice: { max_attempts: 2, initial_delay: 0 } };

/** Runs a workflow of one node that calls the tool, to its end. */
async function called(client: JamjetClient, name: string, times: keyof typeof TIMES = 'once') {
  const document = ir(name, { [name]: tool(name, { node: { retry_policy: times } }) }, [[name, 'end']]);
  await client.registerWorkflow(Object.assign(document, { retry_policies: TIMES }));
  return ended(client, name);
}

async function ended(client: JamjetClient, workflow_id: string) {
  const { execution_id: id } = await client.start({ workflow_id });
  // One that waits may still fail.
  await eventually(
    async () => ['failed', 'completed'].includes((await client.execution(id, { waitMs: 60_000 })).status),
    `${id} ends`,
  );
  const { status, error = null } = await client.execution(id);
  const failures = (await client.events(id)).filter(({ type }) => type === 'node_failed');
  return { id, status, error, failures: failures.map(({ data }) => [data.error_class, data.retryable]) };
}

type Line = Readonly<Record<string, unknown>>;

function logged(output: string): readonly Line[] {
  return (output.match(/^\{"level":.*\}$/gm) ?? []).map((line) => JSON.parse(line) as Line);
}

describe('an unhandled rejection', () => {
  it('fails the node of the tool or function whose code it is, is logged with it, and the server goes on', async () => {
    const folder = temporaryFolder(onTestFinished);
    const server = await startServer({ folder, tools: CODE, files: [CODE] });
    const { client } = server;
    const rejects = await called(client, 'rejects');
    expect(rejects).toMatchObject({ status: 'failed', failures: [['unhandled_rejection', false]] });
    expect(rejects.error).toContain('rejects: unhandled rejection: lost at once');
    expect((await called(client, 'rejectsLater', 'twice')).failures).toEqual([
      ['unhandled_rejection', true],
      ['unhandled_rejection', false],
    ]);
    for (const id of ['in-step', 'while-parked', 'losing'])
      expect(await ended(client, id)).toMatchObject({ status: 'failed', failures: [['unhandled_rejection', false]] });
    const late = await called(client, 'tooLate');
    expect(late.status).toBe('completed');
    const found = (message: string, problem: string) =>
      logged(server.output()).find(({ msg, err }) => msg === message && (err as Line).message === problem);
    await expect
      .poll(() => found('unhandled rejection after the end of its attempt', 'lost too late'))
      .toMatchObject({
        execution: late.id,
        node: 'tooLate',
      });
    await called(client, 'asksModule');
    await expect.poll(() => found('unhandled rejection', 'lost by the module')).toMatchObject({ level: 50 });
    expect(found('unhandled rejection in an attempt, which fails', 'lost at once')).toMatchObject({
      execution: rejects.id,
      node: 'rejects',
      attempt: 0,
      err: { stack: expect.stringContaining('unhandled-code.mjs') },
    });
    expect((await called(client, 'ok')).status).toBe('completed');
    expect(await server.terminate()).toEqual({ code: 0, signal: null });
  });

  it('fails the node of an embedded run, and that of a worker', async () => {
    const folder = temporaryFolder(onTestFinished);
    const embedded = program(process.execPath, [JAMJET, 'run', CODE, 'in-step', '--embedded'], folder);
    expect(await embedded.ended).toMatchObject({ code: 1 });
    expect(embedded.stdout()).toContain('unhandled rejection: lost at once');
    expect(embedded.stderr()).toMatch(/warning: run: unhandled rejection in an attempt, which fails: Error: lost at once\n +at /);

    const server = await startServer({ folder });
    const env = { JAMJET_URL: server.url, JAMJET_TOKEN: server.token };
    const worker = program(process.execPath, [JAMJET, 'worker', CODE], folder, env);
    await worker.shows(/serves \d+ functions/);
    expect(await called(server.client, 'rejects')).toMatchObject({ failures: [['unhandled_rejection', false]] });
    await worker.shows(/rejects {2}unhandled rejection in an attempt, which fails: lost at once/);
    expect((await called(server.client, 'ok')).status).toBe('completed');
    worker.kill('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
  });
});

describe('an exception that nothing catches', () => {
  it('fails the node, then the server stops in order with status 1', async () => {
    const folder = temporaryFolder(onTestFinished);
    const server = await startServer({ folder, tools: CODE, command: 'serve' });
    // It may end before it answers.
    await called(server.client, 'throws').catch(() => null);
    expect(await server.ended).toEqual({ code: 1, signal: null });
    const lines = logged(server.output());
    expect(lines.find(({ level }) => level === 60)).toMatchObject({
      msg: 'uncaught exception in an attempt, which fails',
      node: 'throws',
      err: { message: 'thrown later' },
    });
    expect(lines.at(-1)).toMatchObject({ msg: 'server stopped', reason: 'uncaught exception' });
    const again = await startServer({ folder, tools: CODE, command: 'serve' });
    const { executions } = await again.client.executions();
    expect(executions).toMatchObject([{ status: 'failed', error: expect.stringContaining('uncaught exception: thrown later') }]);
  });
});

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { privatePostgresServer } from '../support/postgres.ts';

const EXAMPLE = resolve('examples/library/publish.mjs');
const AGENT = resolve('examples/library/agent.mjs');

/** A folder with the package installed, as by `npm link`. */
const folder = mkdtempSync(join(tmpdir(), 'jamjet-library-'));
mkdirSync(join(folder, 'node_modules'));
symlinkSync(resolve('.'), join(folder, 'node_modules', 'jamjet-runtime'));
symlinkSync(resolve('node_modules/@types'), join(folder, 'node_modules', '@types'));
writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(...args: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { cwd: folder, env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${args.join(' ')}\n${error.message}\n${stdout}${stderr}`));
    });
  });
}

/** Two runtimes on one database: one waits for an execution of the other. */
const TOGETHER = `
import { createRuntime } from 'jamjet-runtime';
import { openPostgres } from 'jamjet-runtime/postgres';

const stores = await Promise.all([process.argv[2], { url: process.argv[2] }].map(openPostgres));
const [one, other] = await Promise.all(stores.map((store) => createRuntime({ store, tools: { double: ({ n }) => ({ n: n * 2 }) } })));
const nodes = { a: { kind: { type: 'tool', tool_ref: 'double' } } };
await one.register({ workflow_id: 'w', version: '1', nodes, edges: [{ from: 'a', to: 'end' }] });
const { executionId } = await one.start({ workflowId: 'w', input: { n: 21 } });
const { status, state } = await other.settled(executionId, 10_000);
console.log(JSON.stringify({ status, state }));
await Promise.all([one, other].map((runtime) => runtime.close()));
await Promise.all(stores.map((store) => store.close()));
`;
writeFileSync(join(folder, 'together.mjs'), TOGETHER);

describe('the library on PostgreSQL', () => {
  const server = privatePostgresServer();

  it('shares a database between runtimes', async () => {
    const printed = await node('together.mjs', await server().createDatabase());
    expect(JSON.parse(printed)).toEqual({ status: 'completed', state: { n: 42 } });
  });
});

describe('the library example', () => {
  it('is well typed', async () => {
    const strict = ['--ignoreConfig', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--target', 'es2023'];
    const options = [...strict, '--types', 'node', '--noEmit', '--allowJs', '--module', 'nodenext'];
    expect(await node(resolve('node_modules/typescript-native/bin/tsc'), ...options, EXAMPLE, AGENT)).toBe('');
  });

  it('runs an agent that streams its text, waits for an approval, and counts its tokens', async () => {
    const printed = await node(AGENT);
    expect(printed).toContain('[find_order was called]');
    expect(printed).toContain('Your lamp cost 49 euros. I ask for a refund.');
    expect(printed).toMatch(/\[refund needs an approval\]\n(?:.*\n)*\[refund was called\]/);
    expect(printed).toMatch(/\ncompleted with \d+ tokens: You get your 49 euros back\.\n$/);
  });

  it('continues in another process', async () => {
    const begun = await node(EXAMPLE);
    expect(begun).toContain('interrupt_raised (review)');
    expect(begun).toContain('paused {');
    const approved = await node(EXAMPLE, 'approve');
    expect(approved.startsWith(begun.slice(0, begun.indexOf('paused')))).toBe(true);
    expect(approved).toContain('completed {');
    expect(await node(EXAMPLE, 'approve')).toBe(approved);
  });
});

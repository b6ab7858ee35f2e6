import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build as esbuild } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { program } from '../support/program.ts';
import { someOf } from '../support/properties.ts';
import { temporaryFolder } from '../support/server.ts';

/** Runs a workflow in its own process. */
const PROGRAM = `
import { createRuntime, openSqlite, Type, workflow } from 'jamjet-runtime';

const double = ({ n }) => ({ n: n * 2 });
const state = Type.Object({ n: Type.Number() });
const doubling = workflow({ id: 'doubling', state, tools: { double }, nodes: { double: { input: { n: '{{ state.n }}' } } } });

async function main() {
  const store = await openSqlite('runs.db');
  const runtime = await createRuntime({ store, workflows: [doubling] });
  const { status, state } = await (await runtime.start(doubling, { n: 21 })).settled();
  await runtime.close();
  await store.close();
  console.log(JSON.stringify({ status, state }));
}
main();
`;

/** Asks the server for what it reads from files, and for what it does in threads. */
const SERVER = `
import { readConfig, startServer } from 'jamjet-runtime/server';

async function main() {
  const tools = { double: ({ n }) => ({ n: n * 2 }) };
  const { url: base, runtime, close } = await startServer({ config: readConfig(process.env), auth: 'off', tools });
  const workflow = 'workflow: { id: w, version: "1" }\\nnodes: { a: { type: tool, tool_ref: double, input: { n: "{{ state.n }}" }, next: end } }\\n';
  const body = workflow + '# a long file is read in a thread'.repeat(500);
  const registered = await fetch(base + '/workflows', { method: 'POST', body, headers: { 'content-type': 'application/yaml' } });
  const { executionId } = await runtime.start({ workflowId: 'w', input: { n: 21 } });
  const { state } = await runtime.settled(executionId);
  const replies = {};
  for (const path of ['/', '/docs/swagger-ui.css', '/openapi.json', '/workflows/w/findings', '/workflows/w/machine?format=html', '/workflows/w/machine?format=png']) {
    const { status, headers } = await fetch(base + path, { headers: { accept: 'text/html, */*' } });
    replies[path] = [status, headers.get('content-type').split(';')[0]];
  }
  await close();
  console.log(JSON.stringify({ registered: registered.status, state, replies }));
}
main();
`;

type Format = 'cjs' | 'esm';

const BUNDLERS: Readonly<Record<string, (inputs: string[], dir: string, format: Format) => Promise<unknown>>> = {
  rolldown: async (input, dir, format) => {
    const { rolldown } = await import('rolldown');
    const bundle = await rolldown({ input, platform: 'node', logLevel: 'silent' });
    await bundle.write({ dir, format, entryFileNames: '[name].js' });
    await bundle.close();
  },
  esbuild: (entryPoints, outdir, format) =>
    esbuild({ entryPoints, outdir, format, bundle: true, platform: 'node', logLevel: 'silent' }),
};
const BUNDLES = Object.keys(BUNDLERS).flatMap((bundler) => (['esm', 'cjs'] as const).map((format) => ({ bundler, format })));

describe('a bundle of a program, and of a server', () => {
  it.each(someOf(BUNDLES, 2))('runs with the package that is installed: $bundler, $format', async ({ bundler, format }) => {
    const folder = temporaryFolder(onTestFinished);
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules', 'jamjet-runtime'));
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
    writeFileSync(join(folder, 'server.mjs'), SERVER);
    const bundle = join(folder, 'bundle');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'package.json'), JSON.stringify({ type: format === 'esm' ? 'module' : 'commonjs' }));
    await BUNDLERS[bundler]?.([join(folder, 'program.mjs'), join(folder, 'server.mjs')], bundle, format);

    const variables = { DATABASE_URL: 'sqlite:server.db', JAMJET_LOG: 'silent', PORT: '0' };
    const run = async (path: string, cwd: string) => {
      const started = program(process.execPath, [path], cwd, variables);
      const { code } = await started.ended;
      return { code, error: started.stderr(), printed: started.stdout() };
    };
    const ran = await run(join(bundle, 'program.js'), folder);
    expect(ran).toMatchObject({ code: 0, error: '' });
    expect(JSON.parse(ran.printed)).toEqual({ status: 'completed', state: { n: 42 } });

    const served = await run(join(bundle, 'server.js'), folder);
    expect(served).toMatchObject({ code: 0, error: '' });
    expect(JSON.parse(served.printed)).toEqual({
      registered: 201,
      state: { n: 42 },
      replies: {
        '/': [200, 'text/html'],
        '/docs/swagger-ui.css': [200, 'text/css'],
        '/openapi.json': [200, 'application/json'],
        '/workflows/w/findings': [200, 'application/json'],
        '/workflows/w/machine?format=html': [200, 'text/html'],
        '/workflows/w/machine?format=png': [200, 'image/png'],
      },
    });

    const alone = temporaryFolder(onTestFinished);
    cpSync(bundle, alone, { recursive: true });
    for (const name of ['program.js', 'server.js']) {
      const { code, error } = await run(join(alone, name), alone);
      expect(code).not.toBe(0);
      expect(error).toMatch(/does not find the package jamjet-runtime, .*: run "npm install jamjet-runtime" in /);
    }
  });
});

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadedPackages } from '../support/loaded-packages.ts';
import { temporaryFolder } from '../support/server.ts';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly default: string }>>;
};

const entry = (name: string): string => JSON.stringify(pathToFileURL(resolve(exports[name]?.default ?? '')).href);

/** What each entry of the package loads of others when it is imported. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '.': ['@noble/hashes', 'croner'],
  './client': [],
  './worker': [],
  './yaml': ['@noble/hashes', 'croner', 'yaml'],
  './postgres': ['lru-cache', 'pg', 'stemmer'],
};
const WITH_A_RUNTIME = ['@noble/hashes', 'better-sqlite3', 'croner', 'lru-cache', 'stemmer', 'xstate'];

describe('the entries of the package', () => {
  it('are those whose imports are known, and the server', () => {
    const entries = Object.keys(exports).filter((name) => name !== './package.json');
    expect(entries.sort()).toEqual([...Object.keys(PACKAGES), './server'].sort());
  });

  it.each(Object.entries(PACKAGES))('load only the packages that they need: %s', (name, packages) => {
    expect(loadedPackages(`await import(${entry(name)});`)).toEqual(packages);
  });

  it('load XState and SQLite when a runtime is created, and nothing of models, MCP, A2A, telemetry, YAML and pictures', () => {
    const path = JSON.stringify(join(temporaryFolder(onTestFinished), 'runs.db'));
    const program = `
      const { createRuntime, openSqlite } = await import(${entry('.')});
      const store = await openSqlite({ path: ${path} });
      const runtime = await createRuntime({ store, tools: { double: ({ n }) => ({ n: n * 2 }) } });
      const nodes = { a: { kind: { type: 'tool', tool_ref: 'double' } } };
      await runtime.register({ workflow_id: 'w', version: '1', nodes, edges: [] });
      const { executionId } = await runtime.start({ workflowId: 'w', input: { n: 21 } });
      const { status } = await runtime.settled(executionId);
      await runtime.close();
      await store.close();
      if (status !== 'completed') process.exit(1);
    `;
    expect(loadedPackages(program)).toEqual(WITH_A_RUNTIME);
  });
});

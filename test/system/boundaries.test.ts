import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const CONFIG = '.dependency-cruiser.cjs';
const { forbidden } = createRequire(import.meta.url)(resolve(CONFIG)) as { forbidden: readonly { name: string }[] };

/** One forbidden import for each rule: its file, and its line. */
const FORBIDDEN: Readonly<Record<string, readonly [file: string, line: string]>> = {
  'no-cycles': ['src/index.ts', "export * from './server/compose.ts';"],
  resolvable: ['src/server/compose.ts', "export * from './nowhere.ts';"],
  'no-dev-at-run-time': ['src/tools.ts', "import 'fast-check';"],
  'machines-are-pure': ['machines/clock.ts', "import 'node:timers';"],
  'step-below-compile': ['machines/step/emit.ts', "export * from '../compile/plan.ts';"],
  'program-below-step': ['machines/program/run.ts', "export * from '../step/run.ts';"],
  'engine-below-the-rest': ['src/runtime/engine/server.ts', "export * from '../commands/start.ts';"],
  'commands-on-top': ['src/runtime/history/fork.ts', "export * from '../commands/start.ts';"],
  'port-below-engines': ['store/port/rows.ts', "export * from '../sqlite/store.ts';"],
  'store-stands-alone': ['store/graph.ts', "export * from '../machines/json.ts';"],
  'runtime-boundary': ['src/runtime/server.ts', "export * from '../api/app.ts';"],
  'control-boundary': ['src/control/page.ts', "export * from '../api/app.ts';"],
  'telemetry-boundary': ['src/telemetry/page.ts', "export * from '../api/app.ts';"],
  'executors-boundary': ['src/executors/model.ts', "export * from '../runtime/engine/engine.ts';"],
  'authoring-boundary': ['src/authoring/yaml.ts', "export * from '../server/config.ts';"],
  'builder-boundary': ['src/builder/server.ts', "export * from '../server/config.ts';"],
  'project-boundary': ['src/project/server.ts', "export * from '../server/config.ts';"],
  'testing-boundary': ['src/testing/server.ts', "export * from '../server/config.ts';"],
  'api-boundary': ['src/api/routes.ts', "export * from '../../store/sqlite/store.ts';"],
  'evaluation-boundary': ['src/evaluation/run.ts', "export * from '../api/app.ts';"],
  'worker-boundary': ['src/worker/server.ts', "export * from '../server/config.ts';"],
  'views-boundary': ['src/views/page.ts', "export * from '../api/app.ts';"],
  'diagrams-boundary': ['src/diagrams/page.ts', "export * from '../api/app.ts';"],
  'cli-boundary': ['src/cli/run.ts', "export * from '../runtime/engine/engine.ts';"],
  'client-boundary': ['src/client/index.ts', "import { loop } from '../runtime/engine/engine.ts';\nexport const used = loop;"],
  'console-boundary': ['console/src/server.ts', "export * from '../../src/server/config.ts';"],
  'console-without-schemas': [
    'console/src/form.ts',
    "import { Json } from '../../src/api/schemas/fields.ts';\nexport const used = Json;",
  ],
  'bin-boundary': ['bin/jamjet.js', "import '../src/server/compose.ts';"],
  'drivers-in-their-engine': ['src/driver.ts', "import 'better-sqlite3';"],
  'xstate-in-machines': ['src/actor.ts', "import 'xstate';"],
  'fastify-in-api': ['src/server.ts', "import 'fastify';"],
  'drawing-in-diagrams': ['src/drawing.ts', "import '@viz-js/viz';"],
  'prometheus-in-telemetry': ['src/metrics.ts', "import 'prom-client';"],
  'opentelemetry-in-telemetry': ['src/spans.ts', "import '@opentelemetry/api';"],
  'sockets-in-stately': ['src/cli/socket.ts', "import 'ws';"],
  'loading-in-project': ['src/loader.ts', "import 'jiti';"],
  'react-in-console': ['src/page.ts', "import 'react';"],
  'clipanion-in-cli': ['src/prompt.ts', "import 'clipanion';"],
};

/** Files that the planted imports refer to. */
const TARGETS = {
  'src/server/compose.ts': "export * from '../index.ts';",
  'src/server/config.ts': 'export {};',
  'src/api/app.ts': 'export {};',
  'src/runtime/engine/engine.ts': 'export const loop = 1;',
  'store/sqlite/store.ts': 'export {};',
  'machines/json.ts': 'export {};',
  'src/api/schemas/fields.ts': 'export const Json = 1;',
  'machines/compile/plan.ts': 'export {};',
  'machines/step/run.ts': 'export {};',
  'src/runtime/commands/start.ts': 'export {};',
};

describe('module boundaries', () => {
  let folder = '';
  const violated = new Map<string, string[]>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jamjet-boundaries-'));
    for (const file of [CONFIG, 'tsconfig.json', 'package.json']) await cp(file, join(folder, file));
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    const lines = new Map<string, string>(Object.entries(TARGETS));
    for (const [file, line] of Object.values(FORBIDDEN)) lines.set(file, `${lines.get(file) ?? ''}\n${line}\n`);
    for (const [file, text] of lines) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    for (const { rule, from } of await violations(folder)) violated.set(rule.name, [...(violated.get(rule.name) ?? []), from]);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(forbidden.map((rule) => rule.name))('%s rejects a forbidden import', (name) => {
    const planted = FORBIDDEN[name];
    expect(planted, `plant a violation of ${name} in this test`).toBeDefined();
    expect(violated.get(name)).toContain(planted?.[0]);
  });
});

async function violations(folder: string): Promise<readonly { rule: { name: string }; from: string }[]> {
  const args = ['--config', CONFIG, '--output-type', 'json', 'machines', 'store', 'src', 'bin', 'console'];
  const json = await new Promise<string>((resolveOutput) => {
    execFile(resolve('node_modules/.bin/depcruise'), args, { cwd: folder, maxBuffer: 1 << 26 }, (_exit, stdout) =>
      resolveOutput(stdout),
    );
  });
  return (JSON.parse(json) as { summary: { violations: { rule: { name: string }; from: string }[] } }).summary.violations;
}

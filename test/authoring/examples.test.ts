import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWorkflow } from '../../src/authoring/check.ts';
import { ModuleLoader } from '../../src/project/module-loader.ts';
import { loadLocalTools, loadTools } from '../../src/project/tools.ts';

const EXAMPLES = readdirSync('examples', { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
const FILES = EXAMPLES.flatMap((example) =>
  readdirSync(join('examples', example))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ example, name, path: join('examples', example, name) })),
);

describe('the examples', () => {
  it('exist', () => expect(FILES.length).toBeGreaterThanOrEqual(6));

  it.each(EXAMPLES)('%s is in the list of examples', (example) => {
    expect(readFileSync('examples/README.md', 'utf8')).toContain(`[${example}](${example})`);
  });

  it.each(FILES)('$path compiles, without a warning, to its golden document', async ({ example, name, path }) => {
    const { document, workflows, diagnostics } = checkWorkflow(readFileSync(path, 'utf8'), path);
    expect(diagnostics).toEqual([]);
    const compiled = document ?? workflows.map((workflow) => workflow.document);
    const golden = `golden/${example}.${name.replace('.yaml', '.json')}`;
    await expect(`${JSON.stringify(compiled, null, 2)}\n`).toMatchFileSnapshot(golden);
  });

  it.each(FILES)('$path brings a function for every tool it calls', async ({ example, path }) => {
    const { workflows, localTools } = checkWorkflow(readFileSync(path, 'utf8'), path);
    const called = [...JSON.stringify(workflows).matchAll(/"tool_ref":"([^"]+)"/g)].map(([, name]) => name);
    const tools = await loadLocalTools(localTools, dirname(path), new ModuleLoader({ cwd: process.cwd(), fresh: false }));
    expect(Object.keys(tools)).toEqual(expect.arrayContaining(called));
    if (called.length === 0) return;
    // `jamjet dev --tools` offers the same functions under the same names.
    expect(
      Object.keys(
        await loadTools(
          join(process.cwd(), 'examples', example, 'tools.mjs'),
          new ModuleLoader({ cwd: process.cwd(), fresh: false }),
        ),
      ),
    ).toEqual(expect.arrayContaining(Object.keys(tools)));
  });

  it.each(FILES)('$path has an input and says how to run it', ({ example, path }) => {
    expect(JSON.parse(readFileSync(join('examples', example, 'input.json'), 'utf8'))).toBeTypeOf('object');
    const readme = readFileSync(join('examples', example, 'README.md'), 'utf8');
    expect(readme).toContain(`jamjet run ${path}`);
    const named = [...readme.matchAll(/@?(examples\/[\w./-]+)/g)].map(([, file]) => file ?? '');
    expect(named.filter((file) => !existsSync(file))).toEqual([]);
  });
});

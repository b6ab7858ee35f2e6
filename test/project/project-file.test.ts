import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModuleLoader } from '../../src/project/module-loader.ts';
import { readProjectFile, readProjectTests } from '../../src/project/project-file.ts';
import { examineTests } from '../../src/testing/examine.ts';
import { folderWith, read } from './files.ts';

/** A module's own `define`, in the place of the builder of another copy of the package. */
const DEFINE = `
const define = (content, tools = {}, subworkflows = []) => ({
  [Symbol.for('jamjet-runtime.workflow')]: { content, tools, functions: Object.keys(tools), at: { file: import.meta.filename, line: 7, column: 3 } },
  subworkflows,
});
const flow = (id, nodes) => ({ workflow: { id, version: '1.0.0' }, nodes });
`;

function project(files: Readonly<Record<string, string>>, entry: string) {
  const folder = folderWith(files);
  const loader = new ModuleLoader({ cwd: folder, fresh: true });
  return { folder, file: readProjectFile(join(folder, entry), entry, { loader, read }), loader };
}

const idsOf = (workflows: readonly { readonly document: { readonly workflow_id?: unknown } }[]) =>
  workflows.map(({ document }) => document.workflow_id);

describe('readProjectFile', () => {
  it('reads the workflow that a module exports, with its functions', async () => {
    const { file } = project(
      {
        'w.ts': `${DEFINE}const double = ({ n }: { n: number }) => ({ n: 2 * n });\nexport const w = define(flow('w', { double: {} }), { double });\n`,
      },
      'w.ts',
    );
    const { document, mainId, toolNames, tools, workflows, diagnostics } = await file;
    expect({ mainId, toolNames, diagnostics }).toEqual({ mainId: 'w', toolNames: ['double'], diagnostics: [] });
    expect(document).toMatchObject({ workflow_id: 'w', nodes: { double: { kind: { type: 'tool', tool_ref: 'double' } } } });
    expect(workflows[0]?.requirements).toEqual([]);
    expect(Object.keys(await tools())).toEqual(['double']);
  });

  it('takes the default export for the main one of several, each once', async () => {
    const { file } = project(
      {
        'w.ts': `${DEFINE}export const a = define(flow('a', { x: {} }));\nexport const b = define(flow('b', { x: {} }));\nexport default b;\n`,
      },
      'w.ts',
    );
    const { mainId, workflows, document } = await file;
    expect({ mainId, ids: idsOf(workflows), document }).toEqual({ mainId: 'b', ids: ['a', 'b'], document: null });
  });

  it('has no main one of several without a default', async () => {
    const { file } = project(
      { 'w.ts': `${DEFINE}export const a = define(flow('a', { x: {} }));\nexport const b = define(flow('b', { x: {} }));\n` },
      'w.ts',
    );
    expect((await file).mainId).toBeNull();
  });

  it('puts the workflows that subgraphs run before the one that needs them', async () => {
    const { file } = project(
      {
        'w.ts': `${DEFINE}const child = define(flow('child', { x: {} }));\nexport const w = define(flow('w', { y: {} }), {}, [child]);\n`,
      },
      'w.ts',
    );
    const { mainId, workflows } = await file;
    expect({ mainId, ids: idsOf(workflows) }).toEqual({ mainId: 'w', ids: ['child', 'w'] });
  });

  it('gives all problems the line where the program makes the workflow, and the path of their value', async () => {
    const { folder, file } = project(
      { 'w.ts': `${DEFINE}export const w = define(flow('w', { x: { type: 'tol' }, y: { type: 'wait', duration: 'soon' } }));\n` },
      'w.ts',
    );
    const { workflows, diagnostics } = await file;
    expect(workflows).toEqual([]);
    const place = { file: join(folder, 'w.ts'), line: 7, column: 1 };
    expect(diagnostics).toMatchObject([
      { code: 'unknown_kind', path: 'nodes.x.type', ...place },
      { code: 'wrong_type', path: 'nodes.y.duration', ...place },
    ]);
  });

  it.each([
    ['export const x = 1;', 'w.ts exports no workflow; write `export const name = workflow({ … })`'],
    [
      "export const a = define(flow('a', { x: {} }));\nexport const b = define(flow('a', { x: {} }));",
      'w.ts exports two workflows with the id "a"',
    ],
    [
      "export const a = define(flow('a', { t: {} }), { t: () => 1 });\nexport const b = define(flow('b', { t: {} }), { t: () => 2 });",
      'w.ts: two workflows have different tools with the name "t": rename one of them',
    ],
  ])('refuses %j', async (text, message) => {
    await expect(project({ 'w.ts': `${DEFINE}${text}\n` }, 'w.ts').file).rejects.toThrow(message);
  });

  it('finds the functions and prompts of a workflow in YAML beside it, and counts their files', async () => {
    const { folder, file, loader } = project(
      {
        'w.yaml': `workflow: { id: w, version: "1" }
tools: { double: { kind: function, reference: "./tools.ts#twice" } }
nodes:
  double: { next: ask }
  ask: { type: model, model: gpt-4o-mini, prompt: prompts/ask.md }
`,
        'tools.ts': "export { twice } from './twice.ts';\n",
        'twice.ts': 'export const twice = ({ n }: { n: number }) => 2 * n;\n',
        'prompts/ask.md': 'What now?',
      },
      'w.yaml',
    );
    const { toolNames, tools, document } = await file;
    expect(toolNames).toEqual(['double']);
    expect((await tools()).double?.({ n: 4 } as never, {} as never)).toBe(8);
    expect(JSON.stringify(document)).toContain('What now?');
    expect([...loader.files].sort()).toEqual(
      ['prompts/ask.md', 'tools.ts', 'twice.ts', 'w.yaml'].map((name) => join(folder, name)),
    );
  });

  it('does not load a module that is outside of the folder behind a symbolic link', async () => {
    const { folder, file } = project(
      {
        'flows/w.yaml': 'workflow: { id: w }\ntools: { t: { kind: function, reference: ./tools.mjs } }\nnodes: { t: {} }\n',
        'tools.mjs': "throw new Error('loaded');\n",
      },
      'flows/w.yaml',
    );
    symlinkSync(join(folder, 'tools.mjs'), join(folder, 'flows/tools.mjs'));
    await expect((await file).tools()).rejects.toThrow(
      `tool t: ${folder}/flows/tools.mjs (${folder}/tools.mjs) is outside of the folder of the workflow, ${folder}/flows`,
    );
  });
});

describe('readProjectTests', () => {
  it('reads the tests of each workflow that a module exports', async () => {
    const folder = folderWith({
      'w.ts': `${DEFINE}const tests = (status: string) => [{ name: 'ends', results: { x: { output: 1 } }, expect: { status } }];
export const a = define({ ...flow('a', { x: {} }), tests: tests('completed') });
export const b = define({ ...flow('b', { x: {} }), tests: tests('failed') });
`,
    });
    const path = join(folder, 'w.ts');
    const checked = await readProjectTests(path, 'w.ts', { loader: new ModuleLoader({ cwd: folder, fresh: true }), read });
    const examined = examineTests(checked, path, { paths: 10, steps: 100 }, () => 0);
    expect(examined.map(({ unit, tests }) => [unit, tests.map(({ passed }) => passed)])).toEqual([
      ['a', [true]],
      ['b', [false]],
    ]);
  });
});

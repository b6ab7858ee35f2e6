import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModuleError } from '../../src/project/module-error.ts';
import { ModuleLoader } from '../../src/project/module-loader.ts';
import { folderWith, write } from './files.ts';

const loaderOf = (cwd: string, fresh = false): ModuleLoader => new ModuleLoader({ cwd, fresh });

async function failureOf(files: Readonly<Record<string, string>>, entry: string): Promise<ModuleError> {
  const folder = folderWith(files);
  const failure = await loaderOf(folder)
    .load(join(folder, entry))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ModuleError);
  return failure as ModuleError;
}

describe('ModuleLoader', () => {
  it('loads TypeScript with types, relative imports of any ending, JSON and await at the top', async () => {
    const folder = folderWith({
      'main.ts': `import type { Thing } from './types.ts';
import { a } from './a.js';
import { b } from './lib';
import data from './data.json' with { type: 'json' };
export const thing: Thing = { n: await Promise.resolve(a + b + data.n) } satisfies Thing;
export const here = import.meta.filename;
`,
      'types.ts': 'export interface Thing { readonly n: number }\n',
      'a.ts': 'export const a: number = 1;\n',
      'lib/index.ts': 'export const b = 10 as number;\n',
      'data.json': '{ "n": 100 }',
    });
    const loader = loaderOf(folder);
    const module = await loader.load(join(folder, 'main.ts'));
    expect({ ...module }).toMatchObject({ thing: { n: 111 }, here: join(folder, 'main.ts') });
    expect([...loader.files].map((file) => relative(folder, file)).sort()).toEqual([
      'a.ts',
      'data.json',
      'lib/index.ts',
      'main.ts',
    ]);
  });

  it('evaluates a module that several others import once', async () => {
    const folder = folderWith({
      'main.ts': "import { token as a } from './a.ts';\nimport { token } from './shared.ts';\nexport const same = a === token;\n",
      'a.ts': "export { token } from './shared.ts';\n",
      'shared.ts': 'export const token = {};\n',
    });
    expect((await loaderOf(folder).load(join(folder, 'main.ts'))).same).toBe(true);
  });

  it('loads JavaScript that imports TypeScript', async () => {
    const folder = folderWith({
      'tools.mjs': "export { double } from './double.ts';\n",
      'double.ts': 'export const double = (n: number): number => 2 * n;\n',
    });
    const { double } = await loaderOf(folder, true).load(join(folder, 'tools.mjs'));
    expect((double as (n: number) => number)(4)).toBe(8);
  });

  it('loads the present content of all files when fresh, and the same modules again when not', async () => {
    const folder = folderWith({ 'main.mjs': "export { n } from './n.mjs';\n", 'n.mjs': 'export const n = 1;\n' });
    const main = join(folder, 'main.mjs');
    expect((await loaderOf(folder, true).load(main)).n).toBe(1);
    expect((await loaderOf(folder).load(main)).n).toBe(1);
    write(folder, { 'n.mjs': 'export const n = 2;\n' });
    expect((await loaderOf(folder, true).load(main)).n).toBe(2);
    expect((await loaderOf(folder).load(main)).n).toBe(1);
  });

  it('gives a project without a copy of this package the one that runs', async () => {
    const folder = folderWith({ 'main.ts': "export { defineTool } from 'jamjet-runtime';\n" });
    const { defineTool } = await loaderOf(folder).load(join(folder, 'main.ts'));
    expect(defineTool).toBe((await import('../../src/index.ts')).defineTool);
  });

  it('names the line and column of a syntax error', async () => {
    const failure = await failureOf(
      { 'main.ts': "import './bad.ts';\n", 'bad.ts': 'const a = 1;\nconst b = { c: 1 d: 2 };\n' },
      'main.ts',
    );
    expect(failure.message).toBe('bad.ts:2:18: Unexpected token, expected ","');
  });

  it('names the line of what a module throws while it is loaded, and the class of the error', async () => {
    const failure = await failureOf(
      {
        'main.ts': "import { f } from './f.ts';\n\nexport const x = f();\n",
        'f.ts': 'export function f(): unknown {\n  return nothing.at.all;\n}\n',
      },
      'main.ts',
    );
    expect(failure.message).toBe('f.ts:2: ReferenceError: nothing is not defined');
  });

  it('names the import of a module that is missing, and the files that would do', async () => {
    const failure = await failureOf({ 'main.ts': "export const a = 1;\nimport './gone';\n" }, 'main.ts');
    expect(failure.message).toBe('main.ts:2: cannot find module ./gone');
    expect(failure.missing.some((file) => file.endsWith('/gone.ts'))).toBe(true);
  });

  it('names a package that is missing', async () => {
    const failure = await failureOf({ 'main.ts': "import { x } from '@scope/absent/part';\nexport const y = x;\n" }, 'main.ts');
    expect(failure.message).toBe(
      'main.ts:1: cannot find package @scope/absent/part: install it with `npm install @scope/absent`',
    );
  });

  it('tells what was thrown if it is no error', async () => {
    expect((await failureOf({ 'main.ts': "throw 'a text';\n" }, 'main.ts')).message).toBe('main.ts: the module threw a text');
  });

  it('reports a module that was deleted', async () => {
    const folder = folderWith({ 'main.ts': 'export const a = 1;\n' });
    rmSync(join(folder, 'main.ts'));
    await expect(loaderOf(folder).load(join(folder, 'main.ts'))).rejects.toThrow('main.ts: no such file');
  });
});

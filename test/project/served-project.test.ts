import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProject } from '../../src/project/served-project.ts';
import { folderWith, read, write } from './files.ts';

const WORKFLOW = `workflow: { id: w, version: "1" }
tools: { double: { kind: function, reference: "./tools.ts#double" } }
nodes:
  double: { input: { key: "{{ env.KEY }}" } }
`;
const TOOLS = 'export const double = ({ n }: { n: number }) => 2 * n;\n';

function sourcesOf(cwd: string, more: { readonly tools?: readonly string[] } = {}) {
  return { cwd, workflows: ['w.yaml'], tools: more.tools ?? [], resolve: (file: string) => resolve(cwd, file), read };
}

describe('readProject', () => {
  it('reads workflows, functions, and the variables that they name', async () => {
    const folder = folderWith({ 'w.yaml': WORKFLOW, 'tools.ts': TOOLS, 'more.ts': 'export const other = () => 1;\n' });
    const { project, error, files } = await readProject(sourcesOf(folder, { tools: ['more.ts'] }));
    expect(error).toBeNull();
    expect(project).toMatchObject({ documents: [{ workflow_id: 'w' }], variables: ['KEY'] });
    expect(Object.keys(project?.tools ?? {}).sort()).toEqual(['double', 'other']);
    expect([...files].sort()).toEqual(['more.ts', 'tools.ts', 'w.yaml'].map((name) => join(folder, name)));
  });

  it('tells what is wrong with a workflow, and which files may put it right', async () => {
    const folder = folderWith({ 'w.yaml': WORKFLOW.replace('double: { input', 'double: { type: tol, input'), 'tools.ts': TOOLS });
    const { project, diagnostics, files } = await readProject(sourcesOf(folder));
    expect(project).toBeNull();
    expect(diagnostics).toMatchObject([{ severity: 'error', line: 4 }]);
    expect(files.has(join(folder, 'w.yaml'))).toBe(true);
  });

  it('tells what is wrong with a module, then reads the corrected one', async () => {
    const folder = folderWith({
      'w.yaml': WORKFLOW,
      'tools.ts': "import { n } from './gone.ts';\nexport const double = () => n;\n",
    });
    const broken = await readProject(sourcesOf(folder));
    expect(broken.project).toBeNull();
    expect(String(broken.error)).toContain('tools.ts:1: cannot find module ./gone.ts');
    expect(broken.files.has(join(folder, 'gone.ts'))).toBe(true);
    write(folder, { 'gone.ts': 'export const n = 7;\n' });
    const { project } = await readProject(sourcesOf(folder));
    expect(project?.tools.double?.({} as never, {} as never)).toBe(7);
  });

  it('tells that a function is missing from a module', async () => {
    const folder = folderWith({ 'w.yaml': WORKFLOW, 'tools.ts': 'export const triple = () => 3;\n' });
    expect(String((await readProject(sourcesOf(folder))).error)).toMatch(/tools\.ts exports no function "double"/);
  });
});

import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWorkflow } from '../../src/cli/input/workflow-file.ts';
import { temporaryFolder } from '../support/stores.ts';

const workflow = (prompt: string) => `workflow: { id: w }
nodes:
  ask: { type: model, model: gpt-4o, prompt: "${prompt}", system: "Be terse.", next: other }
  other: { type: tool, tool_ref: prompts/x.md }
`;

describe('a prompt that names a file', () => {
  it('is replaced by its text when the command line reads the workflow', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'prompts'));
    writeFileSync(join(folder, 'prompts/ask.md'), 'Say {{ state.word }}\n');
    writeFileSync(join(folder, 'w.yaml'), workflow('prompts/ask.md'));
    const { document, workflows, diagnostics } = await readWorkflow('w.yaml', folder);
    expect(diagnostics).toEqual([]);
    expect(document).toBe(workflows[0]?.document);
    expect(document?.nodes).toMatchObject({
      ask: { kind: { prompt_ref: 'Say {{ state.word }}\n', system_prompt: 'Be terse.' } },
      other: { kind: { tool_ref: 'prompts/x.md' } },
    });
  });

  it('that is missing is an error that names it', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'w.yaml'), workflow('prompts/ask.md'));
    await expect(readWorkflow('w.yaml', folder)).rejects.toThrow('w.yaml: node "ask": prompts/ask.md: no such file');
  });

  it.each([
    ['../secret.md', false],
    ['prompts/../../../../../../../../etc/passwd', false],
    ['/etc/secret.txt', false],
    ['prompts/link.md', true],
    ['prompts/linked/secret.md', true],
  ])('is refused outside of the folder of the workflow: %s', async (prompt, isLink) => {
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'secret.md'), 'the secret');
    const folder = join(outside, 'flows');
    mkdirSync(join(folder, 'prompts'), { recursive: true });
    symlinkSync(join(outside, 'secret.md'), join(folder, 'prompts/link.md'));
    symlinkSync(outside, join(folder, 'prompts/linked'));
    writeFileSync(join(folder, 'w.yaml'), workflow(prompt));
    const real = isLink ? ` (${realpathSync(join(outside, 'secret.md'))})` : '';
    await expect(readWorkflow('w.yaml', folder)).rejects.toThrow(
      `w.yaml: node "ask": ${prompt}${real} is outside of the folder of the workflow, ${folder}`,
    );
  });

  it.each(['./prompts/ask.md', 'prompts/more/../ask.md', '..prompts.md', 'prompts/link.md'])(
    'is read inside of the folder, which may itself be reached by a symbolic link: %s',
    async (prompt) => {
      const outside = temporaryFolder();
      const folder = join(outside, 'flows');
      mkdirSync(join(folder, 'prompts/more'), { recursive: true });
      for (const file of ['prompts/ask.md', '..prompts.md']) writeFileSync(join(folder, file), 'Say it');
      symlinkSync('ask.md', join(folder, 'prompts/link.md'));
      writeFileSync(join(folder, 'w.yaml'), workflow(prompt));
      symlinkSync(folder, join(outside, 'linked'));
      const { document } = await readWorkflow('w.yaml', join(outside, 'linked'));
      expect(document?.nodes).toMatchObject({ ask: { kind: { prompt_ref: 'Say it' } } });
    },
  );

  it.each(['Say hello.md please', '{{state.prompt}}.md', 'hello'])('is not one like %j', async (prompt) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'w.yaml'), workflow(prompt));
    const { document } = await readWorkflow('w.yaml', folder);
    expect(document?.nodes).toMatchObject({ ask: { kind: { prompt_ref: prompt } } });
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
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

  it.each(['Say hello.md please', '{{state.prompt}}.md', 'hello'])('is not one like %j', async (prompt) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'w.yaml'), workflow(prompt));
    const { document } = await readWorkflow('w.yaml', folder);
    expect(document?.nodes).toMatchObject({ ask: { kind: { prompt_ref: prompt } } });
  });
});

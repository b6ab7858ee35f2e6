import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readScript } from '../../../src/executors/model/script.ts';
import { readModelScript } from '../../../src/server/model-script.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { databasePath, openTestRuntime } from '../../support/runtimes.ts';
import { ask } from './asking.ts';

const asking = (content: string, ...later: readonly object[]) => [{ role: 'user', content }, ...later] as never;
const said = { role: 'assistant', content: 'a' };

describe('a scripted model', () => {
  const script = readScript([
    { match: 'lamp', answers: [{ tools: [{ name: 'find', arguments: { what: 'lamp' } }] }, 'It is here.'] },
    { answer: { celsius: 3 } },
  ]);
  const answered = async (messages: never) =>
    (await ask({ model_ref: 'gpt-4o', tools: [{ name: 'find' }] }, { settings: { script } }, messages)).patch;

  it('answers by the first rule that fits the last message of the user, and by the turns since', async () => {
    expect(await answered(asking('Where is my LAMP?'))).toMatchObject({
      last_model_finish_reason: 'tool_calls',
      last_model_tool_calls: [{ id: 'call_1_1', name: 'find', arguments: { what: 'lamp' } }],
    });
    expect(await answered(asking('Where is my lamp?', said))).toMatchObject({ last_model_output: 'It is here.' });
    expect(await answered(asking('Where is my lamp?', said, said, said))).toMatchObject({ last_model_output: 'It is here.' });
    expect(await answered(asking('Where is my lamp?', said, { role: 'user', content: 'And now?' }))).toMatchObject({
      last_model_output: '{"celsius":3}',
    });
  });

  it('needs no key, counts tokens, and shows its text word by word', async () => {
    const { run, settled, runtime, log } = await openTestRuntime({ models: { script: readScript(['Good day to you.']) } });
    const texts: string[] = [];
    const id = await run({
      workflow_id: 'w',
      version: '1',
      nodes: { n: { kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Hi', output_key: 'answer' } } },
      edges: [],
    });
    for await (const { text } of runtime.deltas('default', id, AbortSignal.timeout(PATIENCE_MS))) {
      texts.push(text);
      if (texts.join('') === 'Good day to you.') break;
    }
    expect((await settled(id)).state.answer).toBe('Good day to you.');
    const completed = (await log(id)).find(({ type }) => type === 'node_completed');
    expect(completed?.data).toMatchObject({ gen_ai_system: 'scripted', gen_ai_model: 'gpt-4o', cost_usd: 0, output_tokens: 5 });
  });

  it('says what it has no answer to', async () => {
    const only = readScript([{ match: 'lamp', answer: 'Yes.' }]);
    await expect(ask({ model_ref: 'm' }, { settings: { script: only } }, asking('a chair?'))).rejects.toThrow(
      'the script has no answer to "a chair?"',
    );
  });

  it('reports what is wrong with its file', async () => {
    for (const [document, problem] of [
      [{}, 'must be a list of rules'],
      [[], 'must be a list of rules'],
      [[{ match: 'a' }, { answers: [] }], 'rule 1 has no answers'],
      [[{ answers: [] }], 'rule 1 has no answers'],
      [[{ match: 1, answers: ['a'] }], 'match of rule 1 must be text'],
      [[{ answers: ['a'], when: 'b' }], 'rule 1 has an unknown key "when"'],
      [[7], 'answer 1 must be text or an object'],
      [[{ tools: 'a' }], 'tools of answer 1 must be a list'],
      [[{ tools: [{}] }], 'a tool of answer 1 has no name'],
      [[{ text: 'a', usage: { input_tokens: -1 } }], 'input_tokens of answer 1'],
    ] as const)
      expect(() => readScript(document)).toThrow(problem);
    const folder = dirname(databasePath());
    writeFileSync(join(folder, 'bad.yaml'), 'a: [');
    writeFileSync(join(folder, 'good.yaml'), '- match: a\n  answer: b\n');
    await expect(readModelScript(join(folder, 'none.yaml'))).rejects.toThrow('ENOENT');
    await expect(readModelScript(join(folder, 'bad.yaml'))).rejects.toThrow('cannot read the script');
    expect(await readModelScript(join(folder, 'good.yaml'))).toMatchObject({ rules: [{ match: 'a' }] });
  });
});

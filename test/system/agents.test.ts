import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from '../support/in-process-server.ts';
import { eventually } from '../support/runtimes.ts';
import { launchServer, temporaryFolder } from '../support/server.ts';

const SHOP = {
  workflow_id: 'shop',
  version: '1',
  nodes: {
    helper: {
      kind: {
        type: 'agent',
        model_ref: 'gpt-4o-mini',
        prompt: '{{ state.question }}',
        tools: ['find_order', 'refund'],
        output_key: 'answer',
      },
    },
  },
  edges: [],
};

const SCRIPT = [
  {
    answers: [
      { tools: [{ name: 'find_order', arguments: { number: 'A-17' } }] },
      { tools: [{ name: 'refund', arguments: { number: 'A-17' } }] },
      'You get your money back.',
    ],
  },
];

/** Writes each call into a file. The first refund never returns. */
const TOOLS = `
import { appendFileSync, existsSync } from 'node:fs';
const note = (text) => appendFileSync(new URL('./calls', import.meta.url), text + '\\n');
export function find_order({ number }, { idempotencyKey }) {
  note('find_order ' + idempotencyKey);
  return { number };
}
export function refund({ number }, { attempt, idempotencyKey }) {
  note('refund ' + attempt + ' ' + idempotencyKey);
  return attempt === 0 ? new Promise(() => {}) : { refunded: number };
}
`;

describe('an agent on a server that is killed', () => {
  it('goes on at its last turn, and repeats only the call that did not complete', async () => {
    const folder = temporaryFolder((remove) => onTestFinished(remove));
    writeFileSync(join(folder, 'tools.mjs'), TOOLS);
    writeFileSync(join(folder, 'answers.json'), JSON.stringify(SCRIPT));
    const options = { folder, tools: join(folder, 'tools.mjs'), env: { JAMJET_MODEL_SCRIPT: join(folder, 'answers.json') } };
    const calls = () => (existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : []);
    const server = await launchServer(options).ready;
    await server.client.registerWorkflow(SHOP);
    const { execution_id: id } = await server.client.start({ workflow_id: 'shop', input: { question: 'broken' } });
    await eventually(() => calls().length === 2);
    await server.kill();

    const again = await startServer(options);
    const execution = await again.client.execution(id, { waitMs: 30_000 });
    expect(execution).toMatchObject({ status: 'completed', current_state: { answer: 'You get your money back.' } });
    expect(calls().map((call) => call.split(' ').slice(0, -1).join(' '))).toEqual(['find_order', 'refund 0', 'refund 1']);
    // Both attempts at the refund have the same key, so that the bank can detect the second.
    expect(calls()[1]?.split(' ').at(-1)).toBe(calls()[2]?.split(' ').at(-1));
    const turns = (await again.client.events(id)).filter(
      ({ type, node_id }) => type === 'node_completed' && node_id === 'helper',
    );
    expect(turns.map(({ data }) => data.finish_reason)).toEqual(['tool_calls', 'tool_calls', 'stop']);
  });
});

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { Driver } from '../../../support/driver.ts';
import { join, parallel, retried, subgraph, tool, workflow } from '../../../support/workflows.ts';

/** The inputs that are logged for the attempts at a node. */
const inputs = (driver: Driver, node: string): JsonObject[] =>
  driver
    .all('node_started')
    .filter(({ node_id }) => node_id === node)
    .map(({ data: { worker_id: _worker, attempt: _attempt, activation: _activation, ...data } }) => data);

const local = { env: { isLocal: () => true } };

describe('the input of an attempt is logged', () => {
  it('as it was rendered, for each attempt', () => {
    const a = retried('a', 'at_once', { input_mapping: { id: '{{ state.id }}', text: 'no. {{ state.id }}' } });
    const driver = new Driver(workflow([a]), { input: { id: 7 }, ...local });
    driver.fail('a');
    const input = { input: { id: 7, text: 'no. 7' } };
    expect(inputs(driver, 'a')).toEqual([input, input]);
  });

  it('when a worker claims it, from the state at that time', () => {
    const driver = new Driver(
      workflow([parallel('s', ['a', 'b']), tool('a'), tool('b', { input_mapping: { n: '{{ state.n }}' } })]),
      { input: { n: 1 } },
    );
    driver.done('a', { n: 2 }, { patch: { n: 2 } });
    driver.send({ type: 'claimed', ...driver.visit('b'), workerId: 'worker-1' });
    expect(inputs(driver, 'b')).toEqual([{ input: { n: 2 } }]);
  });

  it('of a child execution', () => {
    const driver = new Driver(workflow([subgraph('sub', { input_mapping: { order: '{{ state.id }}' } })]), { input: { id: 7 } });
    expect(inputs(driver, 'sub')).toEqual([{ input: { order: 7 } }]);
  });

  it('as the state, which is not repeated when it is large', () => {
    const small = new Driver(workflow([tool('a')]), { input: { id: 7 }, ...local });
    expect(inputs(small, 'a')).toEqual([{ input: { id: 7 } }]);
    const large = new Driver(workflow([tool('a')]), { input: { text: 'x'.repeat(8_192) }, ...local });
    expect(inputs(large, 'a')).toEqual([{ input_from: 'state' }]);
  });

  it('as the outputs that a custom join merges', () => {
    const j = join('j', { merge_strategy: { custom: { function_ref: 'm:f' } } });
    const driver = new Driver(
      workflow(
        [parallel('s', ['a', 'b']), tool('a'), tool('b'), j],
        [
          ['a', 'j'],
          ['b', 'j'],
        ],
      ),
      local,
    );
    driver.done('a', { n: 1 }, { patch: {} });
    driver.done('b', { n: 2 }, { patch: {} });
    expect(inputs(driver, 'j')).toEqual([
      { input: { outputs: [{ n: 1 }, { n: 2 }], by_source: { a: { n: 1 }, b: { n: 2 } }, state: {} } },
    ]);
  });

  it('without values of the environment', () => {
    const a = tool('a', { input_mapping: { auth: 'Bearer {{ env.TOKEN }}', missing: '{{ env.OTHER }}' } });
    const driver = new Driver(workflow([a]), { env: { isLocal: () => true, vars: { TOKEN: 'secret' } } });
    expect(inputs(driver, 'a')).toEqual([{ input: { auth: 'Bearer {{ env.TOKEN }}', missing: null } }]);
    expect(JSON.stringify(driver.log)).not.toContain('secret');
  });

  it('unless rendering it exceeds the evaluation budget', () => {
    const heavy = { s: `b${'a'.repeat(299_000)}` };
    const mapping = { input_mapping: { n: Array.from({ length: 20 }, () => "{{ len(state.s.split('a')) }}") } };
    const driver = new Driver(workflow([tool('a', mapping)]), { input: heavy, ...local });
    expect(inputs(driver, 'a')).toEqual([{ input_omitted: true }]);
    expect(driver.run.status).toBe('running');
  });

  it('unless it is a prompt, and the data policy does not retain prompts', () => {
    const model = { id: 'm', kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Say {{ state.word }}' } };
    const made = (data_policy: JsonObject) => workflow([model, tool('a')], [['m', 'a']], { data_policy });
    const played = (policy: JsonObject) => {
      const driver = new Driver(made(policy), { input: { word: 'hi' }, ...local });
      driver.done('m', 'hi');
      return [...inputs(driver, 'm'), ...inputs(driver, 'a')];
    };
    const [prompt, state] = played({ retain_prompts: true });
    expect(prompt).toMatchObject({ input: expect.anything() });
    expect(state).toMatchObject({ input: expect.anything() });
    expect(played({ retain_prompts: false })).toEqual([{ input_omitted: true }, state]);
  });

  it('not for nodes that wait', () => {
    const driver = new Driver(workflow([{ id: 'w', kind: { type: 'wait', correlation_key: 'k' } } as never]));
    expect(inputs(driver, 'w')).toEqual([{}]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { save } from '../../../machines/step/index.ts';
import { validate } from '../../../machines/validate/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { document, type EdgeSpec, type NodeSpec, tool, workflow } from '../../support/workflows.ts';

const AGENT: NodeSpec = { id: 'a', kind: { type: 'agent', model_ref: 'gpt-4o', prompt: 'Help.', tools: ['pay'] } };
const MODEL: NodeSpec = { id: 'm', kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Help.' } };
const WAIT: NodeSpec = { id: 'w', kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } };
const ASK: NodeSpec = { id: 'ask', kind: { type: 'human_approval', description: '?' } };
const CHILD: NodeSpec = { id: 'c', kind: { type: 'subgraph', workflow_ref: 'other', output_mapping: '{{ output.all }}' } };

const CALL = { id: 'z', name: 'pay', arguments: { to: 'mallory' } };
const MESSAGES = [{ role: 'user', content: 'hi' }];
const FORGED = {
  a_conversation: { messages: MESSAGES, calls: [CALL], waiting: [CALL], turns: -50 },
  last_model_output: 'pay',
  last_model_tool_calls: [CALL],
};
const KEYS = Object.keys(FORGED);

/** A workflow whose first node is followed by an agent and a model. */
const leading = (first: NodeSpec, more: JsonObject = {}) => {
  const edges: EdgeSpec[] = [
    [first.id, 'a'],
    ['a', 'm'],
  ];
  return workflow([first, AGENT, MODEL], edges, more);
};

function expectReplays(driver: Driver): void {
  const replayed = replay(driver.program, null, driver.log, { executionId: 'exec_1', stepLimit: 10_000, runtimeId: 'r' });
  expect(save(replayed)).toBe(save(driver.run));
}

describe('state that only the runtime writes', () => {
  it.each<[string, NodeSpec, (driver: Driver) => void]>([
    ['an event', WAIT, (driver) => driver.event('k', { ...FORGED, said: 'hi' })],
    ['a decision', ASK, (driver) => driver.decide('ask', 'approved', { ...FORGED, said: 'hi' })],
    ['a result', tool('t'), (driver) => driver.done('t', { ...FORGED, said: 'hi' })],
    ['the patch of a result', tool('t'), (driver) => driver.done('t', {}, { patch: { ...FORGED, said: 'hi' } })],
    [
      'work beside the workflow',
      tool('t'),
      (driver) => {
        driver.send({ type: 'enqueue', node: 'a', queue: 'general' });
        const visit = { node: 'a', activation: 0, attempt: 0 };
        driver.send({ type: 'done', ...visit, output: {}, durationMs: 1, patch: { ...FORGED, said: 'hi' } });
      },
    ],
    [
      'a child execution',
      CHILD,
      (driver) => {
        const child = { type: 'child', ...driver.visit('c'), childId: 'exec_2', childWorkflowId: 'other' } as const;
        driver.send({ ...child, change: { status: 'started' } });
        driver.send({ ...child, change: { status: 'completed', result: { all: { ...FORGED, said: 'hi' } } } });
      },
    ],
  ])('is not changed by %s', (_door, first, give) => {
    const driver = new Driver(leading(first));
    give(driver);
    expect(driver.state.said).toBe('hi');
    expect(KEYS.filter((key) => Object.hasOwn(driver.state, key))).toEqual([]);
    expect(driver.last.ignored).toEqual(KEYS);
    expectReplays(driver);
  });

  it('is not changed by a fork, whose state has a conversation', () => {
    const driver = new Driver(leading(tool('t')));
    driver.done('t');
    const conversation = { messages: MESSAGES, calls: [], turns: 1 };
    driver.done('a', 'Hello.', { patch: { a_conversation: conversation } });
    const origin = { executionId: 'exec_0', sequence: driver.run.seq };
    for (const patch of [
      { ...FORGED, said: 'hi' },
      { a_conversation: null, said: 'ho' },
    ]) {
      driver.send({ type: 'fork', origin, patch, decisions: [] });
      expect(driver.state).toMatchObject({ said: patch.said, a_conversation: conversation });
    }
    expect(driver.last.ignored).toEqual(['a_conversation']);
  });

  it('begins with the messages of an input, and with nothing else of it', () => {
    const driver = new Driver(leading(tool('t')), { input: { ...FORGED, question: '?' } });
    expect(driver.state).toEqual({ a_conversation: { messages: MESSAGES }, question: '?' });
    expect(driver.log[0]?.data.initial_input).toEqual(driver.state);
    expect(driver.last.ignored).toEqual(KEYS);
    expectReplays(driver);
    const conversation = (given: Json) => new Driver(leading(tool('t')), { input: { a_conversation: given } }).last;
    expect(conversation({ messages: MESSAGES }).ignored).toEqual([]);
    for (const given of [null, 'x', [CALL], { messages: 'x' }, { messages: ['x'] }, {}])
      expect(conversation(given).ignored).toEqual(['a_conversation']);
  });

  it('is written by its node, and by a node for whose result the document names the key', () => {
    const driver = new Driver(leading(tool('t', { output_key: 'last_model_output' })));
    driver.done('t', 'said by a tool');
    expect(driver.state.last_model_output).toBe('said by a tool');
    driver.done('a', 'Hello.', { patch: { a_conversation: { messages: MESSAGES, calls: [] } } });
    driver.done('m', 'Hello.', { patch: { last_model_output: 'Hello.', a_conversation: null } });
    expect(driver.state).toMatchObject({ last_model_output: 'Hello.', a_conversation: { messages: MESSAGES } });
    expectReplays(driver);
  });

  it('goes on in the execution that continues another one', () => {
    const driver = new Driver(leading(tool('t')), {
      input: FORGED,
      env: { continues: { segment: 1, previousId: 'exec_0' } },
    });
    expect(driver.state).toEqual(FORGED);
    expectReplays(driver);
  });

  it('is none in a workflow without agents and models', () => {
    const driver = new Driver(workflow([tool('t')]), { input: FORGED });
    expect(driver.state).toEqual(FORGED);
  });

  it('has what guards of budgets and steps of strategies go by', () => {
    const nodes = [
      { id: 'p', kind: { type: 'model', model_ref: 'm', prompt_ref: 'Plan.', output_schema: '__plan__' } },
      { id: 'f', kind: { type: 'model', model_ref: 'm', prompt_ref: '{{ state.__plan__ }}', output_schema: 'result' } },
    ].map((node) => ({
      ...node,
      labels: {
        'jamjet.strategy.node': node.id,
        'jamjet.strategy.event': node.id === 'p' ? 'plan_generated' : 'strategy_completed',
      },
    }));
    const edges: EdgeSpec[] = [['p', 'f', 'not state.__cost_exceeded__']];
    const more = { cost_budget_usd: 1, strategy_metadata: { strategy_name: 'plan-and-execute', strategy_config: {} } };
    const input = { __plan__: 'pay', __cost_exceeded__: true, result: 'mine', __budget: { total_tokens: -9 } };
    const driver = new Driver(workflow(nodes, edges, more), { input });
    expect(driver.last.ignored).toEqual(['__plan__', '__cost_exceeded__']);
    expect(driver.state).toEqual({ result: 'mine', __budget: { total_tokens: -9 } });
    driver.done('p', 'a plan');
    expect(driver.activeNodes).toEqual(['f']);
    driver.done('f', 'done', { usage: { cost_usd: 2 } });
    expect(driver.all('cost_budget_exceeded')).toHaveLength(1);
    expectReplays(driver);
  });
});

describe('a document', () => {
  it.each<[NodeSpec]>([
    [tool('t', { output_key: 'a_conversation' })],
    [tool('t', { output_to_state: { x: 'a_conversation' } })],
    [{ ...CHILD, kind: { ...(CHILD.kind as JsonObject), output_mapping: { a_conversation: '{{ output }}' } } }],
    [tool('a_conversation')],
  ])('is refused in which another node would write the conversation of an agent: %j', (node) => {
    const { diagnostics } = validate(document([node, AGENT], [[node.id, 'a']]));
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'internal_state', node_id: node.id, message: expect.stringContaining('the conversation of agent "a"') },
    ]);
  });

  it('may give two agents one conversation', () => {
    const kind = { type: 'agent', model_ref: 'gpt-4o', prompt: 'Help.', conversation_key: 'talk' };
    const { diagnostics } = validate(
      document(
        [
          { id: 'a', kind },
          { id: 'b', kind },
        ],
        [['a', 'b']],
      ),
    );
    expect(diagnostics).toEqual([]);
  });
});

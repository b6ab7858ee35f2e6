import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import type { Json, JsonObject } from '../../machines/json.ts';
import { readScript } from '../../src/executors/model/script.ts';
import { agent, createRuntime, defineTool, durable, durableMachine, openSqlite, Type, workflow } from '../../src/index.ts';

const limits = { maxIterations: 2, maxCostUsd: 0.1, timeoutSeconds: 60 };

const researcher = agent({
  id: 'researcher',
  strategy: 'critic',
  goal: 'Write about {{ state.topic }}',
  description: 'Writes a paragraph about a topic.',
  model: 'gpt-4o-mini',
  limits,
  state: Type.Object({ topic: Type.String() }),
});

const double = defineTool({ input: Type.Object({ n: Type.Number() }), run: ({ n }) => ({ twice: n * 2 }) });

const doubling = workflow({
  id: 'acme.doubling',
  description: 'Doubles a number.',
  state: Type.Object({ n: Type.Number(), twice: Type.Optional(Type.Number()) }),
  tools: { double },
  nodes: { double: { input: { n: '{{ state.n }}' } } },
});

const greeting = durable({
  id: 'greeting',
  input: Type.Object({ name: Type.String(), loud: Type.Optional(Type.Boolean()) }),
  output: Type.Object({ text: Type.String() }),
  run: async (ctx, { name, loud }) => ({ text: await ctx.step('greet', () => `Hello ${name}${loud === true ? '!' : '.'}`) }),
});

const counter = durableMachine(
  setup({ types: { context: {} as { count: number }, input: {} as { from: number } } }).createMachine({
    initial: 'done',
    context: ({ input }) => ({ count: input.from }),
    states: { done: { type: 'final', entry: assign({ count: ({ context }) => context.count + 1 }) } },
  }),
  { id: 'counter', input: Type.Object({ from: Type.Number() }) },
);

const toolsOf = (document: JsonObject, node = 'boss'): Json =>
  ((document.nodes as JsonObject)[node] as { kind: { tools: Json } }).kind.tools;

describe('the tools of an agent in TypeScript', () => {
  const boss = workflow({
    id: 'boss',
    state: Type.Object({ question: Type.String(), answer: Type.Optional(Type.String()) }),
    nodes: {
      boss: {
        type: 'agent',
        model: 'gpt-4o',
        prompt: '{{ state.question }}',
        tools: [
          researcher,
          doubling,
          greeting,
          counter,
          { name: 'twice', workflow: doubling, output: '{{ state.twice }}', description: 'Twice a number.', timeout: '1m' },
          { name: 'write', agent: researcher, policy: { requireApprovalFor: ['researcher'] } },
        ],
        outputKey: 'answer',
      },
    },
  });

  it('may be definitions, which say what the model is told of them', () => {
    const topic = { type: 'object', required: ['topic'], properties: { topic: { type: 'string' } } };
    const n = { type: 'object', required: ['n'], properties: { n: { type: 'number' } } };
    expect(boss.diagnostics).toEqual([]);
    expect(toolsOf(boss.document)).toEqual([
      { agent: 'researcher', description: 'Writes a paragraph about a topic.', parameters: topic },
      // What its nodes write is no input.
      { workflow: 'acme.doubling', description: 'Doubles a number.', parameters: n },
      // What a function is given is its input, whether it is required or not.
      {
        workflow: 'greeting',
        parameters: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string' }, loud: { type: 'boolean' } },
        },
      },
      { workflow: 'counter', parameters: { type: 'object', required: ['from'], properties: { from: { type: 'number' } } } },
      {
        workflow: 'acme.doubling',
        description: 'Twice a number.',
        parameters: n,
        name: 'twice',
        output: '{{ state.twice }}',
        timeout: '1m',
      },
      {
        agent: 'researcher',
        description: 'Writes a paragraph about a topic.',
        parameters: topic,
        name: 'write',
        policy: { require_approval_for: ['researcher'] },
      },
    ]);
  });

  it('are registered with the workflow, once', () => {
    expect(boss.subworkflows.map(({ id }) => id)).toEqual(['researcher', 'acme.doubling', 'greeting', 'counter']);
    expect(Object.keys(boss.tools).sort()).toEqual(['counter', 'double', 'greeting']);
  });

  it('run as child executions: an agent gives its answer, a workflow its state', async () => {
    const small = workflow({
      id: 'small',
      state: Type.Object({ question: Type.String(), answer: Type.Optional(Type.String()) }),
      nodes: {
        boss: {
          type: 'agent',
          model: 'gpt-4o',
          prompt: '{{ state.question }}',
          tools: [researcher, { name: 'twice', workflow: doubling, output: '{{ state.twice }}' }, greeting],
          outputKey: 'answer',
        },
      },
    });
    const script = readScript([
      {
        match: 'Do it',
        answers: [
          { tools: [{ name: 'researcher', arguments: { topic: 'lamps' } }] },
          { tools: [{ name: 'twice', arguments: { n: 21 } }] },
          { tools: [{ name: 'greeting', arguments: { name: 'Ada' } }] },
          'Done.',
        ],
      },
      { match: 'score', answer: { passed: true, score: 1, feedback: '' } },
      { match: '', answer: 'Lamps give light.' },
    ]);
    const folder = mkdtempSync(join(tmpdir(), 'jamjet-agent-tools-'));
    const store = await openSqlite({ path: join(folder, 'a.db') });
    const runtime = await createRuntime({ store, workflows: [small], models: { script } });
    try {
      const execution = await runtime.start(small, { question: 'Do it.' });
      const { answer, boss_conversation: conversation } = (await execution.settled()).state as JsonObject;
      expect(answer).toBe('Done.');
      const { messages } = conversation as { messages: readonly JsonObject[] };
      expect(messages.filter(({ role }) => role === 'tool').map(({ name, content }) => [name, content])).toEqual([
        ['researcher', 'Lamps give light.'],
        ['twice', '42'],
        ['greeting', '{"name":"Ada","text":"Hello Ada."}'],
      ]);
    } finally {
      await runtime.close();
      await store.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('do not compile if they are no definitions', () => {
    const wrong = workflow({
      id: 'wrong',
      nodes: {
        // @ts-expect-error: an object with an id is no definition
        boss: { type: 'agent', model: 'gpt-4o', prompt: 'Go.', tools: [{ id: 'researcher' }] },
      },
    });
    expect(wrong.diagnostics.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'bad_tool', path: 'nodes.boss.tools' },
    ]);
    const misspelt = workflow({
      id: 'misspelt',
      state: Type.Object({ question: Type.String() }),
      nodes: {
        // @ts-expect-error: the state has no such key
        boss: { type: 'agent', model: 'gpt-4o', prompt: '{{ state.queston }}', tools: [researcher] },
      },
    });
    expect(misspelt.subworkflows).toEqual([researcher]);
  });
});

describe('the tools of an agent in a document', () => {
  it('may be agents, by their names', () => {
    const byName = workflow({
      id: 'by-name',
      nodes: {
        boss: {
          type: 'agent',
          model: 'gpt-4o',
          prompt: 'Go.',
          tools: ['agent:researcher', { name: 'write', agent: 'researcher' }],
        },
      },
    });
    expect(toolsOf(byName.document)).toEqual(['agent:researcher', { agent: 'researcher', name: 'write' }]);
  });
});

describe('handoffs in TypeScript', () => {
  it('name other nodes of the workflow', () => {
    const desk = workflow({
      id: 'desk',
      nodes: {
        triage: {
          type: 'agent',
          model: 'gpt-4o',
          prompt: 'Sort.',
          handoff: ['billing', { agent: 'repairs', description: 'Repairs.' }],
        },
        billing: { type: 'agent', model: 'gpt-4o', prompt: 'Bill.', description: 'Knows invoices.', maxRepairs: 1 },
        repairs: { type: 'agent', model: 'gpt-4o', prompt: 'Repair.', handoff: ['triage'] },
      },
    });
    expect(desk.diagnostics).toEqual([]);
    const { kind } = (desk.document.nodes as JsonObject).triage as { kind: JsonObject };
    expect(kind.handoff).toEqual(['billing', { agent: 'repairs', description: 'Repairs.' }]);
    const wrong = workflow({
      id: 'wrong',
      nodes: {
        // @ts-expect-error: no node has this name
        triage: { type: 'agent', model: 'gpt-4o', prompt: 'Sort.', handoff: ['biling'] },
        billing: { type: 'agent', model: 'gpt-4o', prompt: 'Bill.' },
      },
    });
    expect(wrong.diagnostics).toMatchObject([{ code: 'unknown_agent', hint: 'did you mean "billing"?' }]);
  });
});

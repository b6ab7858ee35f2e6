import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { validate } from '../../../machines/validate/index.ts';
import { drawnWorkflow } from '../../../machines/views/drawn-workflow.ts';
import { workflowDiagram } from '../../../machines/views/workflow-diagram.ts';
import { checkWorkflow } from '../../../src/authoring/check.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { Timeline } from '../../../src/views/timeline.ts';
import { replayAll } from '../../support/replay-all.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';
import { chatAnswer, reply } from '../model/asking.ts';
import { webServer } from '../web-server.ts';

/** A text, calls, a status with which the provider refuses, or null: it never answers. */
type Answer = string | number | readonly (readonly [tool: string, args: Json])[] | null;

/** A provider of OpenAI's wire format that gives these answers one after the other; the last one again and again. */
async function provider(...answers: readonly Answer[]) {
  let at = 0;
  const server = await webServer((_request, response) => {
    const answer = answers[Math.min(at, answers.length - 1)] ?? null;
    at += 1;
    if (answer === null) return;
    if (typeof answer === 'number') return reply(response, { error: { message: 'no' } }, answer);
    if (typeof answer === 'string') return reply(response, chatAnswer({ content: answer }));
    const calls = answer.map(([name, args], i) => ({
      id: `call_${at}_${i}`,
      type: 'function',
      function: { name, arguments: JSON.stringify(args) },
    }));
    return reply(response, chatAnswer({ tool_calls: calls }, 'tool_calls'));
  });
  const asked = () =>
    server.requests.map(
      ({ body }) =>
        JSON.parse(body) as { model: string; messages: JsonObject[]; tools?: { function: JsonObject }[]; tool_choice?: Json },
    );
  return { models: { providers: { openai: { apiKey: 'sk-1', baseUrl: `${server.url}/v1` } } }, asked };
}

const triage = (kind: JsonObject = {}): JsonObject => ({
  kind: {
    type: 'agent',
    model_ref: 'gpt-4o-mini',
    system_prompt: 'You sort questions.',
    prompt: '{{ state.question }}',
    tools: ['lookup'],
    handoff: ['billing'],
    output_key: 'answer',
    ...kind,
  },
  retry_policy: 'no_retry',
});

const billing = (kind: JsonObject = {}): JsonObject => ({
  kind: {
    type: 'agent',
    model_ref: 'gpt-4o',
    system_prompt: 'You know all about invoices.',
    prompt: 'Look at the invoices.',
    tools: ['refund'],
    output_key: 'answer',
    ...kind,
  },
  description: 'Answers questions about invoices.',
  retry_policy: 'no_retry',
});

const document = (nodes: JsonObject, more: JsonObject = {}): JsonObject => ({
  workflow_id: 'desk',
  version: '1',
  start_node: 'triage',
  nodes,
  edges: [],
  ...more,
});

async function open(answers: readonly Answer[], more: { readonly path?: string } = {}) {
  const { models, asked } = await provider(...answers);
  const called: unknown[] = [];
  const note = (name: string) => (input: unknown) => `${name} ${called.push([name, input])}`;
  const tools: Tools = { lookup: note('lookup'), refund: note('refund') };
  return { ...(await openTestRuntime({ models, tools, ...more })), asked, called };
}

const handoffs = async ({ log }: TestRuntime, id: string) =>
  (await log(id)).filter(({ type }) => type === 'agent_handoff').map(({ nodeId, data }) => [nodeId, data]);

const turns = async ({ log }: TestRuntime, id: string) =>
  (await log(id)).flatMap(({ type, nodeId }) => (type === 'node_completed' && !nodeId?.includes('.') ? [nodeId] : []));

const HAND_OVER: Answer = [['handoff_to_billing', { reason: 'It is about an invoice.' }]];
const HAND_BACK: Answer = [['handoff_to_triage', {}]];

describe('a handoff', () => {
  it('lets another agent go on with the conversation: its instructions, its model, its tools', async () => {
    const opened = await open([[['lookup', {}]], HAND_OVER, [['refund', { euros: 9 }]], 'You get 9 euros.']);
    const id = await opened.run(document({ triage: triage(), billing: billing() }), { question: 'Why 9 euros?' });
    const { status, state } = await opened.settled(id);
    expect([status, state.answer]).toEqual(['completed', 'You get 9 euros.']);
    expect(opened.called).toEqual([
      ['lookup', {}],
      ['refund', { euros: 9 }],
    ]);
    const [first, , third] = opened.asked();
    expect(first?.tools?.map((tool) => tool.function)).toMatchObject([
      { name: 'lookup' },
      {
        name: 'handoff_to_billing',
        description:
          'Hands the conversation over to "billing", which goes on with it and answers: Answers questions about invoices.',
        parameters: { properties: { reason: { type: 'string' } } },
      },
    ]);
    expect([third?.model, third?.tools?.map((tool) => tool.function.name)]).toEqual(['gpt-4o', ['refund']]);
    expect(third?.messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'You know all about invoices.'],
      ['user', 'Why 9 euros?'],
      ['assistant', null],
      ['tool', 'lookup 1'],
      ['assistant', null],
      ['tool', '"billing" goes on with the conversation'],
    ]);
    expect(await handoffs(opened, id)).toEqual([
      ['triage', { from: 'triage', to: 'billing', reason: 'It is about an invoice.', activation: 2 }],
    ]);
    expect(await turns(opened, id)).toEqual(['triage', 'triage', 'billing', 'billing']);
    // One conversation for both, with the turns of both.
    expect(Object.keys(state).sort()).toEqual(['answer', 'question', 'triage_conversation']);
    expect(state.triage_conversation).toMatchObject({ calls: [], requested: [], turns: 4 });
    await opened.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });

  it('is a line of the timeline and an edge of the picture', async () => {
    const opened = await open([HAND_OVER, 'Done.']);
    const drawn = document({ triage: triage({ tools: [] }), billing: billing() });
    const id = await opened.run(drawn, { question: '?' });
    await opened.settled(id);
    const timeline = new Timeline({ awaitedKey: () => null });
    const lines = (await opened.log(id)).flatMap(({ sequence, type, nodeId, data }) =>
      timeline.apply({ sequence, type, node_id: nodeId, data, created_at: '2026-01-01T00:00:00.000Z' }),
    );
    expect(lines.filter(({ status }) => status === 'note').map(({ node, text }) => [node, text])).toEqual([
      ['triage', 'hands over to billing: It is about an invoice.'],
    ]);
    const { nodes, edges } = workflowDiagram(drawnWorkflow(drawn), null);
    const nameOf = (key: string) => nodes.find((node) => node.key === key)?.name;
    const labelled = edges.filter(({ label }) => label === 'hands over').map(({ from, to }) => [nameOf(from), nameOf(to)]);
    expect(labelled).toEqual([['triage', 'billing']]);
  });

  it('may go back: the turns of all agents together are limited', async () => {
    const opened = await open([HAND_OVER, HAND_BACK, HAND_OVER, HAND_BACK, 'I have to answer.']);
    const nodes = { triage: triage({ max_turns: 5 }), billing: billing({ handoff: ['triage'], max_turns: 9 }) };
    const id = await opened.run(document(nodes), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('I have to answer.');
    expect(opened.asked().map(({ tool_choice }) => tool_choice)).toEqual(['auto', 'auto', 'auto', 'auto', 'none']);
    expect(await turns(opened, id)).toEqual(['triage', 'billing', 'triage', 'billing', 'triage']);
    expect((await handoffs(opened, id)).map(([node, data]) => [node, (data as JsonObject).to])).toEqual([
      ['triage', 'billing'],
      ['billing', 'triage'],
      ['triage', 'billing'],
      ['billing', 'triage'],
    ]);
  });

  it('is not endless: an agent whose limit is reached by the turns of the others answers at once', async () => {
    const opened = await open([[['lookup', {}]], [['lookup', {}]], HAND_OVER, 'At once.']);
    const id = await opened.run(document({ triage: triage(), billing: billing({ max_turns: 2 }) }), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('At once.');
    expect(opened.asked().at(-1)?.tool_choice).toBe('none');
  });

  it('leaves the other calls of the answer, of which the next agent is told', async () => {
    for (const parallel_tool_calls of [1, 2]) {
      const several: Answer = [['lookup', {}], ...HAND_OVER, ['erase', {}]];
      const opened = await open([several, 'Done.']);
      const id = await opened.run(document({ triage: triage({ parallel_tool_calls }), billing: billing() }), { question: '?' });
      expect((await opened.settled(id)).state.answer).toBe('Done.');
      expect(opened.called).toEqual([]);
      const results = opened.asked()[1]?.messages.filter(({ role }) => role === 'tool');
      expect(results?.map(({ content }) => content)).toEqual([
        'error: not called, because of handoff_to_billing',
        'error: there is no tool "erase"; there are: lookup, handoff_to_billing',
        '"billing" goes on with the conversation',
      ]);
    }
  });

  it('is repaired like any other call', async () => {
    const opened = await open([[['handoff_to_biling', {}]], [['handoff_to_billing', { why: 1 }]], HAND_OVER, 'Done.']);
    const id = await opened.run(document({ triage: triage(), billing: billing() }), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('Done.');
    const problems = (await opened.log(id)).flatMap(({ type, data }) => (type === 'tool_call_rejected' ? [data.problem] : []));
    expect(problems).toEqual([
      'there is no tool "handoff_to_biling"; did you mean "handoff_to_billing"?',
      'the arguments of handoff_to_billing do not fit: unknown key "why"',
    ]);
  });

  it('holds over a crash: the agent that was handed over to begins again', async () => {
    const opened = await open([HAND_OVER, null]);
    const retried = { ...billing(), retry_policy: null, retry: { max_attempts: 2 } };
    const id = await opened.run(document({ triage: triage(), billing: retried }), { question: 'Why?' });
    await eventually(() => opened.asked().length === 2);
    await opened.close();
    const again = await open(['Done.'], { path: opened.path });
    expect((await again.settled(id)).state.answer).toBe('Done.');
    expect(again.asked().map(({ model, messages }) => [model, messages[1]?.content])).toEqual([['gpt-4o', 'Why?']]);
    expect(await handoffs(again, id)).toHaveLength(1);
  });

  it('can be retried and forked', async () => {
    const opened = await open([HAND_OVER, 400, 'After the retry.', 'After the fork.']);
    const id = await opened.run(document({ triage: triage(), billing: billing() }), { question: '?' });
    expect((await opened.settled(id)).status).toBe('failed');
    await opened.runtime.retry(CALLER, id);
    await eventually(async () => (await opened.settled(id)).status === 'completed');
    expect((await opened.settled(id)).state.answer).toBe('After the retry.');
    const begun = (await opened.log(id)).find(({ type, nodeId }) => type === 'node_started' && nodeId === 'billing');
    const fork = await opened.runtime.fork(CALLER, id, { atSequence: begun?.sequence ?? 0 });
    const executionId = String(fork.executionId);
    expect((await opened.settled(executionId)).state.answer).toBe('After the fork.');
    expect(await handoffs(opened, executionId)).toHaveLength(1);
    await opened.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });

  it('that fails may lead back to the agent, which is told why', async () => {
    const opened = await open([HAND_OVER, 400, 'Sorry.']);
    const nodes = { triage: triage(), billing: billing({ fallback_node: 'triage' }) };
    const id = await opened.run(document(nodes), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('Sorry.');
    const results = opened.asked()[2]?.messages.filter(({ role }) => role === 'tool');
    expect(results?.map(({ content }) => content)).toEqual([expect.stringMatching(/^error: .*no/)]);
  });

  it('that fails may lead to a third agent, which has its own task', async () => {
    const opened = await open([HAND_OVER, 400, 'Sorry.']);
    const desk = billing({ prompt: 'Apologise.', tools: [], handoff: ['billing'] });
    const third = { ...desk, kind: { ...(desk.kind as JsonObject), handoff: ['triage'] } };
    const nodes = { triage: triage(), billing: billing({ fallback_node: 'desk' }), desk: third };
    const id = await opened.run(document(nodes), { question: 'Why?' });
    expect((await opened.settled(id)).state.answer).toBe('Sorry.');
    expect(opened.asked()[2]?.messages.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'You know all about invoices.'],
      ['user', 'Why?'],
      ['assistant', null],
      ['tool', 'error: the agent has not gone on with the conversation'],
      ['user', 'Apologise.'],
    ]);
  });

  it('leads from any of several agents to any other, through one node', async () => {
    const to = (agent: string): Answer => [[`handoff_to_${agent}`, {}]];
    const opened = await open([to('billing'), to('desk'), to('billing'), to('triage'), to('desk'), 'Done.']);
    const others = (...handoff: string[]) => ({ handoff, tools: [], parallel_tool_calls: 2 });
    const nodes = {
      triage: triage(others('billing', 'desk')),
      billing: billing(others('triage', 'desk')),
      desk: billing(others('triage', 'billing')),
    };
    const id = await opened.run(document(nodes), { question: '?' });
    expect((await opened.settled(id)).state.answer).toBe('Done.');
    expect(await turns(opened, id)).toEqual(['triage', 'billing', 'desk', 'billing', 'triage', 'desk']);
    const through = (await opened.log(id)).filter(
      ({ type, nodeId }) => type === 'node_completed' && nodeId === 'triage.handoffs',
    );
    expect(through.map(({ data }) => data.taken)).toEqual([['billing'], ['desk'], ['billing'], ['triage'], ['desk']]);
    await opened.close();
    expect((await replayAll(opened.path)).differing).toEqual([]);
  });

  it('has one conversation for all, by the key that one of them names', async () => {
    const opened = await open([HAND_OVER, 'Done.']);
    const nodes = { triage: triage(), billing: billing({ conversation_key: 'talk' }) };
    const id = await opened.run(document(nodes), { question: '?' });
    expect(Object.keys((await opened.settled(id)).state).sort()).toEqual(['answer', 'question', 'talk']);
  });
});

describe('a handoff in a document', () => {
  const problems = (nodes: JsonObject) =>
    validate(document(nodes))
      .diagnostics.filter(({ severity }) => severity === 'error')
      .map(({ code, path, hint }) => [code, path, hint]);

  it('is refused to what is no agent of the workflow, or the agent itself', () => {
    const at = 'nodes.triage.kind.handoff[0]';
    const with_ = (handoff: Json) =>
      problems({ triage: triage({ handoff }), billing: billing(), pay: { kind: { type: 'tool', tool_ref: 'pay' } } });
    expect(with_(['billng'])).toEqual([['unknown_agent', at, 'did you mean "billing"?']]);
    expect(with_(['pay'])).toEqual([['unknown_agent', at, 'possible: billing']]);
    expect(with_(['triage'])).toEqual([['bad_handoff', at, 'possible: billing']]);
    expect(with_(['billing', 'billing'])).toMatchObject([['duplicate_tool', 'nodes.triage.kind.handoff[1]', expect.any(String)]]);
    expect(with_([7])).toMatchObject([['wrong_type', at, null]]);
    expect(with_('billing')).toMatchObject([['wrong_type', 'nodes.triage.kind.handoff', null]]);
    expect(
      problems({ triage: triage({ handoff: ['remote'] }), remote: { kind: { type: 'agent', agent_ref: 'legal' } } }),
    ).toEqual([['unknown_agent', at, 'add another node of type agent with a model']]);
    expect(
      problems({ triage: triage({ tools: [{ name: 'handoff_to_billing', tool: 'x' }] }), billing: billing() }),
    ).toMatchObject([['duplicate_tool', at, null]]);
  });

  it('is refused at its line in a workflow file', () => {
    const lines = [
      'workflow: { id: desk, version: 1.0.0 }',
      'nodes:',
      '  triage:',
      '    type: agent',
      '    model: gpt-4o',
      '    prompt: Sort.',
      '    handoff: [billing, refunds]',
      '    next: end',
      '  billing: { type: agent, model: gpt-4o, prompt: Bill. }',
    ];
    const { diagnostics } = checkWorkflow(lines.join('\n'), 'desk.yaml');
    expect(diagnostics).toMatchObject([{ code: 'unknown_agent', line: 7, hint: 'possible: billing' }]);
  });

  it('is refused in an item of a map, and in a tool of an agent', () => {
    const work = { type: 'agent', model_ref: 'gpt-4o', prompt: 'Go.', handoff: ['billing'] };
    expect(problems({ triage: { kind: { type: 'map', items: '[1]', do: work } }, billing: billing() })).toEqual([
      [
        'bad_handoff',
        'nodes.triage.kind.do.handoff',
        'a child workflow does it: put it into a workflow of its own, and name that as "workflow"',
      ],
    ]);
    expect(problems({ triage: triage({ tools: [{ name: 'ask', kind: work }] }), billing: billing() })).toContainEqual([
      'bad_handoff',
      'nodes.triage.kind.tools',
      'hand over from "triage", or make it a workflow',
    ]);
  });

  it('is refused between agents that name different conversations', () => {
    const nodes = { triage: triage({ conversation_key: 'one' }), billing: billing({ conversation_key: 'two' }) };
    expect(problems(nodes)).toEqual([['bad_handoff', 'nodes.billing.kind.conversation_key', 'name the same key, or none']]);
  });

  it('stays as it is when the normal form is read again', () => {
    const nodes = { triage: triage(), billing: billing({ handoff: [{ agent: 'triage', description: 'Sorts.' }] }) };
    const { workflow } = validate(document(nodes));
    const kinds = (all: typeof workflow) =>
      all?.nodes.map(({ id, kind }) => [id, kind]).filter(([id]) => nodes[id as never] !== undefined);
    const again = validate({
      ...document({}),
      nodes: Object.fromEntries(
        (workflow?.nodes ?? []).flatMap((node) => (nodes[node.id as never] === undefined ? [] : [[node.id, node]])),
      ),
    });
    expect(kinds(again.workflow)).toEqual(kinds(workflow));
    expect(kinds(workflow)).toMatchObject([
      [
        'triage',
        {
          conversation_key: 'triage_conversation',
          handoff: [{ agent: 'billing', description: 'Answers questions about invoices.' }],
        },
      ],
      ['billing', { conversation_key: 'triage_conversation', handoff: [{ agent: 'triage', description: 'Sorts.' }] }],
    ]);
  });
});

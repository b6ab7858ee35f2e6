import { describe, expect, it } from 'vitest';
import { card } from '../support/agents.ts';
import { api } from '../support/api.ts';

const PICK = {
  workflow_id: 'picking',
  version: '1',
  nodes: {
    pick: {
      kind: { type: 'coordinator', task: 'Write about {{ state.topic }}', required_skills: ['research'], output_key: 'agent' },
    },
    other: { kind: { type: 'tool', tool_ref: 'echo' } },
  },
  edges: [
    { from: 'pick', to: 'other' },
    { from: 'other', to: 'end' },
  ],
};

describe('the decisions of a coordinator', () => {
  it('are read from the log of the execution', async () => {
    const it = await api({ tools: { echo: () => ({}) } });
    await it.post('/agents', card('a', { uri: 'https://a.example.com', cost_class: 'free' }));
    await it.post('/agents', card('b', { uri: 'https://b.example.com', cost_class: 'high' }));
    const id = await it.started(PICK, { topic: 'tea' });
    expect(await it.settled(id)).toMatchObject({ status: 'completed', state: { agent: 'https://a.example.com' } });

    const all = await it.get(`/executions/${id}/coordinator-decisions`);
    expect(all.body.events.map(({ kind, node_id }) => [kind, node_id])).toEqual([
      ['CoordinatorDiscovery', 'pick'],
      ['CoordinatorScoring', 'pick'],
      ['CoordinatorDecision', 'pick'],
    ]);
    const tagged = await it.get(`/executions/${id}/coordinator-decisions?format=tagged`);
    expect(tagged.body.events[2]?.kind).toMatchObject({ type: 'coordinator_decision', selected: 'https://a.example.com' });

    const accept = { headers: { accept: 'application/vnd.jamjet.tagged+json' } };
    for (const path of ['coordinator-decisions', 'nodes/pick/scoring', 'nodes/pick/reasoning'])
      expect((await it.get(`/executions/${id}/${path}`, accept)).headers['content-type']).toContain('vnd.jamjet.tagged+json');

    const scoring = (await it.get(`/executions/${id}/nodes/pick/scoring`)).body as unknown as {
      node_id: string;
      scoring: object[];
    };
    expect(scoring).toMatchObject({
      node_id: 'pick',
      scoring: [{ data: { rankings: [{ uri: 'https://a.example.com' }, { uri: 'https://b.example.com' }], spread: 0.16 } }],
    });
    const reasoning = (await it.get(`/executions/${id}/nodes/pick/reasoning`)).body as unknown as { decisions: object[] };
    expect(reasoning.decisions).toMatchObject([{ data: { selected: 'https://a.example.com', method: 'structured' } }]);

    for (const path of ['nodes/other/scoring', 'nodes/other/reasoning', 'nodes/nothing/reasoning']) {
      const { status, body } = await it.get(`/executions/${id}/${path}`);
      expect([path, status, body.code]).toEqual([path, 404, 'not_found']);
    }
    expect((await it.get('/executions/exec_0/coordinator-decisions')).status).toBe(404);
    expect(await it.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('are none for an execution without coordinators', async () => {
    const it = await api({ tools: { echo: () => ({}) } });
    const id = await it.started({ ...PICK, nodes: { other: PICK.nodes.other }, edges: [{ from: 'other', to: 'end' }] });
    expect((await it.get(`/executions/${id}/coordinator-decisions`)).body.events).toEqual([]);
  });
});

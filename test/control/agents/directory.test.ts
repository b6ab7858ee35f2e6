import { expect, it } from 'vitest';
import { Agents as AgentRegistry, type Agents } from '../../../src/control/agents/agents.ts';
import { agentDirectory } from '../../../src/control/agents/directory.ts';
import type { AgentDirectory } from '../../../src/executors/a2a/directory.ts';
import { Outbound } from '../../../src/executors/outbound/index.ts';
import { a2aAgent } from '../../executors/a2a/agent-server.ts';
import { openTestRuntime } from '../../support/runtimes.ts';

const CONTEXT = { tenantId: 'default', actorId: 'ann', actorType: 'human', onBehalfOf: null, request: null, atMs: 1 } as const;

/** A runtime with the registered agents of its store. */
async function runtimeWithAgents() {
  let directory: AgentDirectory | null = null;
  const agents: AgentDirectory = {
    find: async (...given) => directory?.find(...given) ?? null,
    search: async (...given) => directory?.search(...given) ?? [],
  };
  const parts = await openTestRuntime({ agents, allowPrivateAddresses: true });
  directory = agentDirectory(parts.store.agents, { onError: (error) => parts.errors.push(error) });
  const outbound = new Outbound({ allowPrivateAddresses: true });
  const registry = new AgentRegistry({ store: parts.store.agents, outbound, nowMs: () => parts.clock.nowMs() });
  return { ...parts, registry, directory };
}

async function register(registry: Agents, id: string, uri: string, skill: string, tenantId = 'default'): Promise<void> {
  const card = { id, name: id, uri, capabilities: { skills: [{ name: skill }], protocols: ['a2a'] } };
  await registry.register(card, { ...CONTEXT, tenantId });
}

it('the directory has the agents of the tenant that can be called, active ones first', async () => {
  const { registry, directory } = await runtimeWithAgents();
  for (const id of ['gone', 'first', 'second', 'third']) await register(registry, id, `https://${id}.example.com`, 'review');
  await register(registry, 'elsewhere', 'https://elsewhere.example.com', 'review', 'acme');
  await register(registry, 'writer', 'https://writer.example.com', 'write');
  for (const status of ['active', 'deactivated'] as const) await registry.setStatus(status, 'gone', CONTEXT);
  await registry.setStatus('active', 'first', CONTEXT);
  const found = await directory.search('default', { skill: 'Review', protocol: 'a2a' }, 10);
  expect(found.map(({ id }) => id)).toEqual(['first', 'third', 'second']);
  expect(await directory.search('default', { skill: 'review' }, 1)).toMatchObject([{ id: 'first', status: 'active' }]);
  expect(await directory.find('default', 'writer')).toMatchObject({ id: 'writer', uri: 'https://writer.example.com' });
  expect(await directory.find('default', 'elsewhere')).toBeNull();
});

it('an execution finds a registered agent, gives it a task and calls it as a tool', async () => {
  const agent = await a2aAgent({ version: '1.0' });
  const { registry, run, settled, timeline } = await runtimeWithAgents();
  await register(registry, 'legal', agent.url, 'review');
  const id = await run(
    {
      workflow_id: 'w',
      version: '1',
      start_node: 'find',
      nodes: {
        find: { kind: { type: 'agent_discovery', skill: 'review', output_binding: 'found' } },
        legal: { kind: { type: 'agent', input_mapping: { do: 'echo', topic: '{{ state.topic }}' } } },
        tool: {
          kind: { type: 'agent_tool', agent: { explicit: 'state.found.uri' }, input_mapping: { do: 'echo' }, output_key: 'said' },
        },
        chosen: { kind: { type: 'agent_tool', agent: 'auto', input_mapping: { do: 'echo' }, fallback_node: 'end' } },
      },
      edges: [
        { from: 'find', to: 'legal' },
        { from: 'legal', to: 'tool' },
        { from: 'tool', to: 'chosen' },
        { from: 'chosen', to: 'end' },
      ],
    },
    { topic: 'tea', _selected_agent_chosen: 'legal' },
  );
  expect(await settled(id)).toMatchObject({
    status: 'completed',
    state: {
      found: { id: 'legal', uri: agent.url },
      legal: { do: 'echo', topic: 'tea' },
      said: { do: 'echo' },
      chosen: { do: 'echo' },
    },
  });
  const events = await timeline(id);
  for (const event of ['agent_tool_invoked tool', 'agent_tool_completed tool', 'agent_tool_completed chosen'])
    expect(events).toContain(event);
});

it('an agent that no one has registered fails its node', async () => {
  const { run, settled } = await runtimeWithAgents();
  const id = await run({ workflow_id: 'w', version: '1', nodes: { legal: { kind: { type: 'agent' } } } });
  expect(await settled(id)).toMatchObject({ status: 'failed' });
});

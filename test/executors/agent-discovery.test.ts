import { expect, it } from 'vitest';
import type { AgentDirectory, AgentSearch, RegisteredAgent } from '../../src/executors/a2a/directory.ts';
import { RemoteAgents } from '../../src/executors/a2a/remote-agents.ts';
import { agentDiscoveryExecutor } from '../../src/executors/agent-discovery.ts';
import { Outbound } from '../../src/executors/outbound/index.ts';
import { a2aAgent } from './a2a/agent-server.ts';
import { contextWith, failure, workWith } from './work.ts';

const LEGAL: RegisteredAgent = {
  id: 'legal',
  name: 'Legal',
  uri: 'https://legal.example.com',
  status: 'active',
  card: { name: 'Legal', capabilities: { skills: [{ id: 'review' }] } },
};

function discover(...found: readonly RegisteredAgent[]) {
  const searches: [string, AgentSearch][] = [];
  const directory: AgentDirectory = {
    find: async () => null,
    search: async (tenantId, search) => {
      searches.push([tenantId, search]);
      return found;
    },
  };
  const agents = new RemoteAgents({ outbound: new Outbound({ allowPrivateAddresses: true }), directory });
  const executor = agentDiscoveryExecutor({ agents, declared: {}, vars: {} });
  return {
    find: (input: Record<string, string | null>) => executor(workWith(input), contextWith({ tenantId: 'acme' })),
    searches,
  };
}

it('finds a registered agent of the tenant by skill and protocol', async () => {
  const { find, searches } = discover(LEGAL);
  expect(await find({ skill: 'review', protocol: 'a2a' })).toEqual({
    output: { ...LEGAL.card, id: 'legal', uri: 'https://legal.example.com', status: 'active' },
  });
  expect(searches).toEqual([['acme', { skill: 'review', protocol: 'a2a' }]]);
});

it('fails when no agent has the skill', async () => {
  expect(await failure(discover().find({ skill: 'review', protocol: null }))).toMatchObject({
    message: 'no registered agent has the skill "review"',
    errorClass: 'no_agent',
    retryable: false,
  });
});

it('reads the card of the agent at a URL', async () => {
  const agent = await a2aAgent({ version: '1.0' });
  expect(await discover().find({ agent_url: agent.url })).toMatchObject({ output: { name: 'Test agent', uri: agent.url } });
});

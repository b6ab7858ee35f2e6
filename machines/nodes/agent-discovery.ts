import { stateKey, text } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';

const AGENT_DISCOVERY = declareKind({
  type: 'agent_discovery',
  description: 'Finds an agent: the registered one with a skill, or the one at a URL. Its output is the card of the agent.',
  fields: {
    skill: text('Id or name of a skill that the agent must have; may hold templates.', { rendered: true }),
    protocol: text('Protocol that the agent must speak: `a2a`, `mcp`, `anp`; may hold templates. Default: any.', {
      rendered: true,
      distinctive: true,
    }),
    agent_url: text('URL of an agent whose card is read instead of looking among the registered agents; may hold templates.', {
      rendered: true,
      spellings: ['agent_url', 'agent_uri', 'url'],
      distinctive: true,
    }),
    ...OUTPUT,
    output_key: stateKey('State key that receives the output. Default: the rule of the kind, which is usually the node id.', {
      spellings: ['output_key', 'output_binding'],
      distinctive: ['output_key', 'output_binding'],
    }),
  },
});

export const agentDiscovery = defineKind(AGENT_DISCOVERY, {
  check({ skill, protocol, agent_url }, fields) {
    if (skill === undefined && protocol === undefined && agent_url === undefined)
      fields.error('missing_key', 'skill', 'is required', 'name a skill, a protocol or an agent_url');
  },
  queue: () => 'general',
  policyNames: ({ skill, protocol, agent_url }) => [
    'agent_discovery',
    ...[skill, protocol, agent_url].filter((name) => name !== undefined),
  ],
  payload: (_, input) => ({ input }),
  summary: ({ skill, agent_url, protocol }) => `finds ${skill ?? agent_url ?? protocol ?? 'an agent'}`,
  letter: 'd',
});

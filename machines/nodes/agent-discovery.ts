import { type Static, Type } from 'typebox';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

export const AgentDiscovery = Type.Object(
  {
    type: Type.Literal('agent_discovery'),
    skill: Type.Optional(Type.String({ description: 'Id or name of a skill that the agent must have; may hold templates.' })),
    protocol: Type.Optional(
      Type.String({ description: 'Protocol that the agent must speak: `a2a`, `mcp`, `anp`; may hold templates. Default: any.' }),
    ),
    agent_url: Type.Optional(
      Type.String({
        description: 'URL of an agent whose card is read instead of looking among the registered agents; may hold templates.',
      }),
    ),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Finds an agent: the registered one with a skill, or the one at a URL. Its output is the card of the agent.' },
);
export type AgentDiscovery = Static<typeof AgentDiscovery>;

export const agentDiscovery: KindDefinition<AgentDiscovery> = defineKind<AgentDiscovery>({
  type: 'agent_discovery',
  schema: AgentDiscovery,
  normalise: (fields) => {
    const found = {
      ...optional('skill', fields.text('skill')),
      ...optional('protocol', fields.text('protocol')),
      ...optional('agent_url', fields.text('agent_url')),
    };
    if (Object.keys(found).length === 0)
      fields.error('missing_key', 'skill', 'is required', 'name a skill, a protocol or an agent_url');
    return { type: 'agent_discovery', ...found, ...readOutputFields(fields) };
  },
  aliases: { output_key: ['output_binding'], agent_url: ['agent_uri', 'url'] },
  distinctiveKeys: ['output_binding', 'protocol', 'agent_url'],
  queue: () => 'general',
  policyNames: ({ skill, protocol, agent_url }) => [
    'agent_discovery',
    ...[skill, protocol, agent_url].filter((name) => name !== undefined),
  ],
  mapping: ({ skill, protocol, agent_url }) => ({
    ...optional('skill', skill),
    ...optional('protocol', protocol),
    ...optional('agent_url', agent_url),
  }),
  mappingKey: null,
  payload: (_, input) => ({ input }),
  syntax: {
    keys: {
      skill: { holds: 'text' },
      protocol: { holds: 'text' },
      agent_url: { holds: 'text', spellings: ['agent_url', 'agent_uri', 'url'] },
      ...OUTPUT_SYNTAX,
      output_key: { holds: 'text', spellings: ['output_key', 'output_binding'] },
    },
  },
  summary: ({ skill, agent_url, protocol }) => `finds ${skill ?? agent_url ?? protocol ?? 'an agent'}`,
  letter: 'd',
});

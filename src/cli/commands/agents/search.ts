import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { agentTable } from '../../texts/agent.ts';

export const command = requestCommand({
  usage: {
    details: 'Lists the agents that have all of the given skills, ignoring case.',
    examples: [
      ['Find agents with both skills', '$0 agents search research summarize'],
      ['Find agents of one trust domain (the label trust_domain of a card)', '$0 agents search research --trust-domain acme'],
    ],
  },
  readOnly: true,
  options: () => ({
    skills: Option.Rest({ name: 'skill' }),
    trustDomain: Option.String('--trust-domain', { description: 'Only agents of this trust domain.' }),
  }),
  call: (client, { skills, trustDomain }) =>
    client.agents.search({
      ...(skills.length === 0 ? {} : { skills: skills.join(',') }),
      ...(trustDomain === undefined ? {} : { trust_domain: trustDomain }),
    }),
  text: ({ agents }, { paint, nowMs }) => (agents.length === 0 ? null : agentTable(agents, nowMs, paint)),
  empty: 'no matching agents',
});

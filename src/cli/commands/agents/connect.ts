import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';
import { agentDetails } from '../../texts/agent.ts';

export const command = requestCommand({
  usage: {
    details: `The server, not this computer, fetches the agent card: from /.well-known/agent.json or agent-card.json below the URL, or from the
URL itself. Private addresses are reachable only with JAMJET_ALLOW_PRIVATE_ADDRESSES.`,
    examples: [['Register an agent by its address', '$0 agents connect https://agents.example.com']],
  },
  options: () => ({ url: Option.String({ name: 'url' }) }),
  call: (client, { url }) => client.agents.discover(url),
  text: (agent, { paint, nowMs }) =>
    `${paint.green('✓')} connected ${paint.bold(plain(agent.id))}\n\n${agentDetails(agent, nowMs, paint)}`,
  note: ({ id, status }) => (status === 'registered' ? `  Activate it with: jamjet agents activate ${plain(id)}` : null),
});

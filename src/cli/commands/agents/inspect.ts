import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { agentDetails } from '../../texts/agent.ts';

export const command = requestCommand({
  usage: {
    examples: [
      ['Show the skills and the address of an agent', '$0 agents inspect research-agent'],
      ['Print the whole card', '$0 agents inspect research-agent --json | jq .card'],
    ],
  },
  readOnly: true,
  options: () => ({ id: Option.String({ name: 'id' }) }),
  call: (client, { id }) => client.agents.get(id),
  text: (agent, { paint, nowMs }) => agentDetails(agent, nowMs, paint),
});

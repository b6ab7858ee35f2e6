import { agentStatusCommand } from './status-command.ts';

export const command = agentStatusCommand('pause', {
  details: 'Pauses an active agent: it is not federated until it is activated again.',
  examples: [['Take an agent out of service temporarily', '$0 agents pause research-agent']],
});

import { agentStatusCommand } from './status-command.ts';

export const command = agentStatusCommand('deactivate', {
  details: 'A deactivated agent is no longer federated. Registering it again restores it.',
  examples: [['Take an agent out of service', '$0 agents deactivate research-agent']],
});

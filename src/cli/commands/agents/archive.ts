import { agentStatusCommand } from './status-command.ts';

export const command = agentStatusCommand('archive', {
  details: 'Archives a deactivated agent. Registering it again restores it.',
  examples: [['Archive an agent that is out of service', '$0 agents archive research-agent']],
});

import { agentStatusCommand } from './status-command.ts';

export const command = agentStatusCommand('activate', {
  details: 'Activates a registered or paused agent. A deactivated agent must be registered again first.',
  examples: [['Make an agent discoverable and federated', '$0 agents activate research-agent']],
});

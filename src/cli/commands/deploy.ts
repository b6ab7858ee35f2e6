import type { Usage } from '../base/command.ts';
import { RegisteringCommand } from '../base/registering-command.ts';

class DeployCommand extends RegisteringCommand {
  static override usage: Usage = {
    details: `Registers every workflow of the files on a server, without starting any, and creates their schedules. A file contains one workflow or
agent, or several under \`workflows:\` and \`agents:\` that share a tool catalog; a \`schedule:\` becomes a cron job with the name of its workflow, which
starts the deployed version. \`jamjet register\` does the same without the schedules.`,
    examples: [
      ['Deploy one workflow', '$0 deploy workflow.yaml'],
      ['Deploy all workflows of a file to another server', '$0 deploy workflows.yaml --runtime https://jamjet.example'],
    ],
  };

  protected readonly createsSchedules = true;
}

export { DeployCommand as command };

import type { Usage } from '../base/command.ts';
import { RegisteringCommand } from '../base/registering-command.ts';

class RegisterCommand extends RegisteringCommand {
  static override usage: Usage = {
    details: `Registers every workflow of the files on a server, without starting any and without creating the schedules that they have
(\`jamjet deploy\` does). All files are checked first; nothing is registered if one has an error. Registering the same content again changes
nothing but the time; other content under the same version is a new revision, and running executions keep theirs.`,
    examples: [
      ['Register one workflow', '$0 register workflow.yaml'],
      ['Register several on another server', '$0 register flows/*.yaml --runtime https://jamjet.example'],
      ['See what it would change first', '$0 workflows diff workflow.yaml'],
    ],
  };

  protected readonly createsSchedules = false;
}

export { RegisterCommand as command };

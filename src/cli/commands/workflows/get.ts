import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ReadOnlyCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { choiceArgument } from '../../input/arguments.ts';
import { workflowAt } from '../../input/workflow-version.ts';
import { plain } from '../../terminal/text.ts';
import { workflowName } from '../../texts/workflow.ts';

class WorkflowsGetCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: `Prints the compiled document, which every command reads like the file it was compiled from. VERSION is a version, or at least six
digits of a revision; without it, the version registered last.`,
    examples: [
      ['Print the latest version as YAML', '$0 workflows get refund-approval > workflow.yaml'],
      ['Print a version as JSON', '$0 workflows get refund-approval 1.2.0 --format json'],
      ['Print what an earlier revision contained', '$0 workflows get refund-approval 3f2a91c04b7d'],
    ],
  };

  workflow = Option.String({ name: 'id' });
  version = Option.String({ name: 'version', required: false });
  format = Option.String('--format', { description: 'yaml (the default) or json.' });

  protected async request(client: JamjetClient): Promise<number> {
    const format = choiceArgument('--format', this.format ?? 'yaml', ['yaml', 'json']);
    if (this.json && this.format !== undefined)
      throw usageFailure('give --json (the whole reply) or --format (the document), not both');
    const found = await workflowAt(client, this.workflow, this.version);
    if (this.json) this.printJson(found);
    else {
      this.note(`${workflowName(found)}, registered ${found.registered_at} by ${plain(found.registered_by)}`);
      if (format === 'json') this.printJson(found.ir);
      else {
        const { toYaml } = await import('../../../authoring/write.ts');
        this.context.stdout.write(toYaml(found.ir));
      }
    }
    return EXIT.ok;
  }
}

export { WorkflowsGetCommand as command };

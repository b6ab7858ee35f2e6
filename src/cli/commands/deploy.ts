import { Option } from 'clipanion';
import type { CronJob, JamjetClient, RegisteredWorkflow } from '../../client/index.ts';
import { ClientCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT } from '../failure.ts';
import { type AuthoredUnit, readValidWorkflow } from '../input/workflow-file.ts';
import { plain } from '../terminal/text.ts';

class DeployCommand extends ClientCommand {
  static override usage: Usage = {
    details: `Registers every workflow of the files on a server, without starting any. A file contains one workflow or agent, or
several under \`workflows:\` and \`agents:\` that share a tool catalog; the \`schedule:\` of one of these becomes a cron job with its name, which
starts the deployed version.`,
    examples: [
      ['Deploy one workflow', '$0 deploy workflow.yaml'],
      ['Deploy all workflows of a file to another server', '$0 deploy workflows.yaml --runtime https://jamjet.example'],
    ],
  };

  files = Option.Rest({ name: 'file', required: 1 });

  protected async request(client: JamjetClient): Promise<number> {
    const units: AuthoredUnit[] = [];
    const known = new Set<string>();
    // All files are read before anything is registered.
    for (const file of this.files) {
      const read = await readValidWorkflow(file, this.context, { warnings: true });
      units.push(...read.workflows);
      for (const { code, message } of read.diagnostics) known.add(`${code} ${message}`);
    }
    const workflows: { workflow_id: string; version: string; revision: string }[] = [];
    const jobs: CronJob[] = [];
    for (const { document, schedule } of units) {
      const { workflow_id, version, revision, warnings } = await client.registerWorkflow(document);
      workflows.push({ workflow_id, version, revision });
      if (!this.json) this.print(`${this.paint.green('✓')} ${plain(workflow_id)} ${plain(version)}`);
      this.#warn(warnings.filter(({ code, message }) => !known.has(`${code} ${message}`)));
      if (schedule === null) continue;
      const { cron, timezone, input, enabled } = schedule;
      const job = await client.cron.put({
        name: workflow_id,
        cron_expression: cron,
        timezone,
        workflow_id,
        workflow_version: version,
        input,
        enabled,
      });
      jobs.push(job);
      if (!this.json)
        this.print(`  ${plain(job.cron_expression)} ${plain(job.timezone)}, next ${job.next_run_at ?? 'never: paused'}`);
    }
    if (this.json) this.printJson({ workflows, cron_jobs: jobs });
    return EXIT.ok;
  }

  /** What only the server knows of. */
  #warn(warnings: RegisteredWorkflow['warnings']): void {
    for (const { message, code, hint } of warnings) {
      const advice = hint === null ? '' : `\n    ${this.paint.cyan('→')} ${plain(hint)}`;
      const line = `  ${this.paint.yellow('warning')}  ${plain(message)} ${this.paint.dim(`[${plain(code)}]`)}${advice}`;
      this.context.stderr.write(`${line}\n`);
    }
  }
}

export { DeployCommand as command };

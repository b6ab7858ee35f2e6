import { Option } from 'clipanion';
import type { CronJob, JamjetClient, RegisteredWorkflow } from '../../client/index.ts';
import { EXIT } from '../failure.ts';
import { type AuthoredUnit, readValidWorkflow } from '../input/workflow-file.ts';
import { plain } from '../terminal/text.ts';
import { shortRevision } from '../texts/workflow.ts';
import { ClientCommand } from './client-command.ts';

/** A command that registers the workflows of files: `register`, and `deploy`, which also creates their schedules. */
export abstract class RegisteringCommand extends ClientCommand {
  files = Option.Rest({ name: 'file', required: 1 });

  protected abstract readonly createsSchedules: boolean;

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
    for (const unit of units) {
      const { workflow_id, version, revision, warnings } = await client.registerWorkflow(unit.document);
      workflows.push({ workflow_id, version, revision });
      if (!this.json)
        this.print(
          `${this.paint.green('✓')} ${plain(workflow_id)} ${plain(version)}  ${this.paint.dim(`revision ${shortRevision(revision)}`)}`,
        );
      this.#warn(warnings.filter(({ code, message }) => !known.has(`${code} ${message}`)));
      const job = await this.#schedule(client, unit, workflow_id, version);
      if (job !== null) jobs.push(job);
    }
    if (this.json) this.printJson({ workflows, ...(this.createsSchedules ? { cron_jobs: jobs } : {}) });
    return EXIT.ok;
  }

  async #schedule(client: JamjetClient, { schedule }: AuthoredUnit, id: string, version: string): Promise<CronJob | null> {
    if (schedule === null) return null;
    if (!this.createsSchedules) {
      this.warn(`the schedule of ${plain(id)} is not created: \`jamjet deploy\` creates it`);
      return null;
    }
    const { cron, timezone, input, enabled } = schedule;
    const job = await client.cron.put({
      name: id,
      cron_expression: cron,
      timezone,
      workflow_id: id,
      workflow_version: version,
      input,
      enabled,
    });
    if (!this.json)
      this.print(`  ${plain(job.cron_expression)} ${plain(job.timezone)}, next ${job.next_run_at ?? 'never: paused'}`);
    return job;
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

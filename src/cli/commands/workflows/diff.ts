import { Option } from 'clipanion';
import type { JsonObject } from '../../../../machines/json.ts';
import type { JamjetClient, WorkflowDetail } from '../../../client/index.ts';
import { isSameWorkflow, workflowDiff } from '../../../views/workflow-diff.ts';
import { ReadOnlyCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { EXIT, Failure, usageFailure } from '../../failure.ts';
import { isWorkflowFile, readValidWorkflow } from '../../input/workflow-file.ts';
import { workflowAt } from '../../input/workflow-version.ts';
import { plain } from '../../terminal/text.ts';
import { workflowDiffText, workflowName } from '../../texts/workflow.ts';

interface Side {
  readonly name: string;
  readonly document: JsonObject;
}

class WorkflowsDiffCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: `Compares two versions or revisions of a registered workflow, or a file with what is registered, by node. A version may be given as at
least six digits of a revision. Of one version, the earlier side is the revision registered before it.`,
    examples: [
      ['What registering the file would change', '$0 workflows diff workflow.yaml'],
      ['What the last registration changed', '$0 workflows diff refund-approval'],
      ['Compare two versions', '$0 workflows diff refund-approval 1.0.0 1.1.0'],
      ['Fail in CI if the file is not what is registered', '$0 workflows diff workflow.yaml --exit-code'],
    ],
  };

  target = Option.String({ name: 'file or id' });
  versions = Option.Rest({ name: 'version' });
  exitCode = Option.Boolean('--exit-code', false, { description: 'Exit with 1 if there are differences.' });

  protected async request(client: JamjetClient): Promise<number> {
    const isFile = isWorkflowFile(this.target, this.context.cwd);
    const max = isFile ? 1 : 2;
    if (this.versions.length > max)
      throw usageFailure(`too many versions: a ${isFile ? 'file is compared with one' : 'workflow is compared by two'}`);
    const pairs = isFile ? await this.#ofFile(client) : [await this.#ofVersions(client)];
    const diffs = pairs.map(([before, after]) => ({ before, after, diff: workflowDiff(before.document, after.document) }));
    if (this.json) this.printJson(diffs.map(({ before, after, diff }) => ({ before: before.name, after: after.name, ...diff })));
    else
      for (const { before, after, diff } of diffs)
        this.print(
          `${this.paint.red('-')} ${before.name}\n${this.paint.green('+')} ${after.name}\n\n${workflowDiffText(diff, this.paint)}\n`,
        );
    return this.exitCode && !diffs.every(({ diff }) => isSameWorkflow(diff)) ? EXIT.failed : EXIT.ok;
  }

  /** Each workflow of the file with what is registered under its version, or under its last one. */
  async #ofFile(client: JamjetClient): Promise<readonly (readonly [Side, Side])[]> {
    const { workflows } = await readValidWorkflow(this.target, this.context, { warnings: false });
    return Promise.all(
      workflows.map(async ({ document }) => {
        const before = await workflowAt(client, String(document.workflow_id), this.versions[0]);
        const name = `${plain(String(document.workflow_id))} ${plain(String(document.version))} of ${plain(this.target)}`;
        return [sideOf(before), { name, document }] as const;
      }),
    );
  }

  async #ofVersions(client: JamjetClient): Promise<readonly [Side, Side]> {
    const [from, to] = this.versions;
    if (to !== undefined)
      return [sideOf(await workflowAt(client, this.target, from)), sideOf(await workflowAt(client, this.target, to))];
    const after = await workflowAt(client, this.target, from);
    return [sideOf(await this.#previous(client, after)), sideOf(after)];
  }

  /** What was registered before the revision first was. */
  async #previous(client: JamjetClient, { revision, version }: WorkflowDetail): Promise<WorkflowDetail> {
    const { revisions } = await client.revisions(this.target, { limit: 1_000 });
    const at = revisions.find((row) => row.revision === revision && row.version === version)?.first_registered_at ?? '';
    const [previous] = revisions
      .filter((row) => row.revision !== revision && row.first_registered_at <= at)
      .sort((a, b) => (a.first_registered_at < b.first_registered_at ? 1 : -1));
    if (previous !== undefined) return client.revision(this.target, previous.revision);
    throw new Failure(`nothing was registered for ${plain(this.target)} before revision ${revision.slice(0, 12)}`, {
      hint: 'Name two versions or revisions: `jamjet workflows list ID` shows them.',
    });
  }
}

function sideOf(workflow: WorkflowDetail): Side {
  return { name: workflowName(workflow), document: workflow.ir };
}

export { WorkflowsDiffCommand as command };

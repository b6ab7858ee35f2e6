import { Option } from 'clipanion';
import type { CallOptions, JamjetClient, WorkflowList, WorkflowRevisions } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { integerArgument } from '../../input/arguments.ts';
import { revisionTable, workflowTable } from '../../texts/workflow.ts';

const MAX_LIMIT = 1_000;

class WorkflowsListCommand extends ListCommand<WorkflowList | WorkflowRevisions> {
  static override usage: Usage = {
    details: `Without ID, the latest version of each workflow, by id. With ID, everything that was registered under its versions, the last
registered first: revisions, when and by whom. ● marks the revision that a version has now; executions keep the one they started with.`,
    examples: [
      ['List the registered workflows', '$0 workflows list'],
      ['List the versions and revisions of one', '$0 workflows list refund-approval'],
    ],
  };

  workflow = Option.String({ name: 'id', required: false });
  limit = Option.String('--limit', { description: 'Number of rows (default 50).' });
  offset = Option.String('--offset', { description: 'Number of rows to skip.' });

  protected readonly emptyText = 'no workflows';

  protected read(client: JamjetClient, call: CallOptions): Promise<WorkflowList | WorkflowRevisions> {
    const page = {
      ...(this.limit === undefined ? {} : { limit: integerArgument('--limit', this.limit, { min: 1, max: MAX_LIMIT }) }),
      ...(this.offset === undefined
        ? {}
        : { offset: integerArgument('--offset', this.offset, { min: 0, max: Number.MAX_SAFE_INTEGER }) }),
    };
    return this.workflow === undefined ? client.workflows(page, call) : client.revisions(this.workflow, page, call);
  }

  protected listText(list: WorkflowList | WorkflowRevisions): string | null {
    if ('workflows' in list) return list.workflows.length === 0 ? null : workflowTable(list, Date.now(), this.paint);
    return list.revisions.length === 0 ? null : revisionTable(list, Date.now(), this.paint);
  }

  protected override moreHint(list: WorkflowList | WorkflowRevisions): string | null {
    const shown = 'workflows' in list ? list.workflows.length : list.revisions.length;
    return shown < list.limit ? null : `there may be more: --offset ${list.offset + shown}`;
  }
}

export { WorkflowsListCommand as command };

import { Option } from 'clipanion';
import type { JamjetClient } from '../../client.ts';
import { choiceArgument, integerArgument } from '../arguments.ts';
import type { Usage } from '../command.ts';
import { ClientCommand } from '../connect.ts';
import { EXIT } from '../failure.ts';
import { paintStatus, STATUSES } from '../terminal/status.ts';
import { table } from '../terminal/table.ts';
import { cut, plain } from '../terminal/text.ts';
import { ago, duration } from '../terminal/time.ts';

export class LsCommand extends ClientCommand {
  static override paths = [['ls']];
  static override usage: Usage = {
    examples: [
      ['The latest executions', '$0 ls'],
      ['Those that wait for a person, an event or a timer', '$0 ls --status paused'],
      [
        'Ids of failed runs of one workflow',
        "$0 ls --status failed --workflow refund-approval --json | jq -r '.executions[].execution_id'",
      ],
    ],
  };

  status = Option.String('-s,--status', { description: `Only this status: ${STATUSES.join(', ')}.` });
  workflow = Option.String('-w,--workflow', { description: 'Only executions of this workflow.' });
  limit = Option.String('--limit', '50', { description: 'How many, at most 1000 (default 50).' });
  offset = Option.String('--offset', '0', { description: 'How many to pass over (default 0).' });

  protected override get onlyReads(): boolean {
    return true;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const list = await client.executions({
      limit: integerArgument('--limit', this.limit, { min: 1, max: 1000 }),
      offset: integerArgument('--offset', this.offset, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      ...(this.status === undefined ? {} : { status: choiceArgument('--status', this.status, STATUSES) }),
      ...(this.workflow === undefined ? {} : { workflow_id: this.workflow }),
    });
    if (this.json) this.printJson(list);
    else if (list.executions.length === 0) this.note('no executions');
    else {
      const nowMs = Date.now();
      const rows = list.executions.map((execution) => {
        const startMs = Date.parse(execution.created_at);
        const endMs = execution.completed_at === null ? nowMs : Date.parse(execution.completed_at);
        return [
          execution.execution_id,
          plain(`${execution.workflow_id} ${execution.workflow_version}`),
          paintStatus(execution.status, this.paint),
          String(execution.steps_executed),
          ago(startMs, nowMs),
          duration(endMs - startMs),
          this.paint.dim(cut(plain(execution.error ?? ''), 60)),
        ];
      });
      this.print(
        table(
          [
            { title: 'EXECUTION' },
            { title: 'WORKFLOW' },
            { title: 'STATUS' },
            { title: 'STEPS', align: 'right' },
            { title: 'STARTED', align: 'right' },
            { title: 'TOOK', align: 'right' },
            { title: '' },
          ],
          rows,
          this.paint,
        ),
      );
    }
    return EXIT.ok;
  }
}

import { Option } from 'clipanion';
import type { JamjetClient } from '../../client.ts';
import type { Usage } from '../command.ts';
import { ClientCommand } from '../connect.ts';
import { EXIT } from '../failure.ts';
import { isTerminal, paintStatus } from '../terminal/status.ts';
import { fields } from '../terminal/table.ts';
import { count, plain, width } from '../terminal/text.ts';
import { ago, duration } from '../terminal/time.ts';
import { kindsOf, Timeline } from '../timeline.ts';
import { renderActive, renderEntry } from '../timeline-text.ts';

const PAGE = 1000;

export class InspectCommand extends ClientCommand {
  static override paths = [['inspect']];
  static override usage: Usage = {
    details: 'With --json: the execution as the API gives it, with its `events`.',
    examples: [
      ['Everything about one run', '$0 inspect exec_0199…'],
      ['Its state alone', '$0 inspect exec_0199… --json | jq .state'],
    ],
  };

  id = Option.String({ name: 'id' });

  protected override get onlyReads(): boolean {
    return true;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const execution = await client.execution(this.id);
    const events = [];
    for (let after = 0; ; ) {
      const page = await client.events(execution.execution_id, { after, limit: PAGE });
      events.push(...page);
      if (page.length < PAGE) break;
      after = page.at(-1)?.sequence ?? after;
    }
    if (this.json) {
      this.printJson({ ...execution, events });
      return EXIT.ok;
    }
    const { paint } = this;
    const nowMs = Date.now();
    const startMs = Date.parse(execution.created_at);
    const endMs = execution.completed_at === null ? nowMs : Date.parse(execution.completed_at);
    const entries: [string, string][] = [
      ['execution', execution.execution_id],
      ['workflow', `${plain(execution.workflow_id)} ${plain(execution.workflow_version)}`],
      ['status', paintStatus(execution.status, paint)],
      ['started', `${execution.created_at} ${paint.dim(`(${ago(startMs, nowMs)})`)}`],
      [
        isTerminal(execution.status) ? 'took' : 'so far',
        `${duration(endMs - startMs)}, ${count(execution.steps_executed, 'step')}, ${count(execution.sequence, 'event')}`,
      ],
    ];
    if (execution.held === true)
      entries.push(['held', execution.held_reason === undefined ? 'by an operator' : plain(execution.held_reason)]);
    if (execution.error !== undefined) entries.push(['error', paint.red(plain(execution.error))]);
    if (execution.parent_execution_id !== undefined) entries.push(['parent', execution.parent_execution_id]);
    for (const [name, value] of Object.entries(execution.labels)) entries.push([`label ${plain(name)}`, plain(value)]);
    this.print(fields(entries, paint));

    const { ir } = await client.workflow(execution.workflow_id, execution.workflow_version);
    const timeline = new Timeline(kindsOf(ir));
    const happened = events.flatMap((event) => timeline.apply(event)).filter((entry) => entry.mark !== 'running');
    const nodeWidth = Math.min(32, Math.max(8, ...[...happened, ...timeline.active].map((line) => width(line.node ?? ''))));
    const lines = happened.map((entry) => renderEntry(entry, nodeWidth, paint));
    if (!isTerminal(execution.status))
      lines.push(...timeline.active.map((active) => renderActive(active, nodeWidth, nowMs, '▸', paint)));
    this.print(`\n${paint.bold('Timeline')}\n${lines.join('\n')}`);
    this.print(`\n${paint.bold('State')}\n${plain(JSON.stringify(execution.state, null, 2), { lines: true })}`);
    if (execution.held === true) this.print(`\n${paint.yellow('◆')} it is held: jamjet resume ${execution.execution_id}`);
    for (const approval of timeline.approvals) {
      this.print(
        `\n${paint.yellow('◆')} ${plain(approval.node)} waits for approval: jamjet approve ${execution.execution_id} --node-id ${plain(approval.node)}`,
      );
    }
    return EXIT.ok;
  }
}

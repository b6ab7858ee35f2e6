import { Option } from 'clipanion';
import type { JamjetClient } from '../../client.ts';
import { sequenceArgument } from '../arguments.ts';
import type { Usage } from '../command.ts';
import { ReadingCommand } from '../connect.ts';
import { EXIT } from '../failure.ts';
import { logText } from '../log-text.ts';
import { readLog, withinStep } from '../read-log.ts';
import { isTerminal, paintStatus } from '../terminal/status.ts';
import { fields } from '../terminal/table.ts';
import { count, plain } from '../terminal/text.ts';
import { ago, duration } from '../terminal/time.ts';

export class InspectCommand extends ReadingCommand {
  static override paths = [['inspect']];
  static override usage: Usage = {
    details: `With --json: the execution as the API gives it, with its \`events\`. With --at: as it was after the last step that had ended by then
(a step writes one event or several).`,
    examples: [
      ['Everything about one run', '$0 inspect exec_0199…'],
      ['Its state alone', '$0 inspect exec_0199… --json | jq .state'],
      ['As it was at its twelfth event', '$0 inspect exec_0199… --at 12'],
    ],
  };

  id = Option.String({ name: 'id' });
  at = Option.String('--at', { description: 'As it was at this sequence of its events.' });

  protected async request(client: JamjetClient): Promise<number> {
    if (this.at !== undefined) return this.#then(client, sequenceArgument('--at', this.at));
    const execution = await client.execution(this.id);
    const events = await readLog(client, execution.execution_id);
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
    if (execution.forked_from !== undefined) {
      const { execution_id: origin, sequence } = execution.forked_from;
      entries.push(['forked from', `${origin} at ${sequence}`]);
    }
    for (const [name, value] of Object.entries(execution.labels)) entries.push([`label ${plain(name)}`, plain(value)]);
    this.print(fields(entries, paint));

    const { ir } = await client.workflow(execution.workflow_id, execution.workflow_version);
    const { lines, approvals } = logText(ir, events, isTerminal(execution.status) ? null : nowMs, paint);
    this.print(`\n${paint.bold('Timeline')}\n${lines.join('\n')}`);
    this.print(`\n${paint.bold('State')}\n${plain(JSON.stringify(execution.state, null, 2), { lines: true })}`);
    if (execution.held === true) this.print(`\n${paint.yellow('◆')} it is held: jamjet resume ${execution.execution_id}`);
    for (const approval of approvals) {
      this.print(
        `\n${paint.yellow('◆')} ${plain(approval.node)} waits for approval: jamjet approve ${execution.execution_id} --node-id ${plain(approval.node)}`,
      );
    }
    return EXIT.ok;
  }

  /** As it was at an earlier point. */
  async #then(client: JamjetClient, at: number): Promise<number> {
    const past = await client.history.state(this.id, at);
    if (past.sequence !== past.requested) this.note(withinStep(past.requested, past.sequence));
    if (this.json) {
      this.printJson(past);
      return EXIT.ok;
    }
    const { paint } = this;
    const { workflow_id, workflow_version, sequence } = await client.execution(past.execution_id);
    const entries: [string, string][] = [
      ['execution', past.execution_id],
      ['workflow', `${plain(workflow_id)} ${plain(workflow_version)}`],
      ['status', `${paintStatus(past.status, paint)} ${paint.dim('then')}`],
      ['sequence', `${past.sequence} ${paint.dim(`of ${sequence}, on ${past.created_at}`)}`],
    ];
    this.print(fields(entries, paint));
    const { ir } = await client.workflow(workflow_id, workflow_version);
    const events = await readLog(client, past.execution_id, past.sequence);
    const { lines } = logText(ir, events, isTerminal(past.status) ? null : Date.parse(past.created_at), paint);
    this.print(`\n${paint.bold('Timeline')}\n${lines.join('\n')}`);
    this.print(`\n${paint.bold('State')}\n${plain(JSON.stringify(past.state, null, 2), { lines: true })}`);
    return EXIT.ok;
  }
}

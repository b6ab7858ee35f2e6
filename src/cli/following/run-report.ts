import type { Execution } from '../../client.ts';
import { EXIT } from '../failure.ts';
import type { Paint } from '../terminal/paint.ts';
import { paintStatus } from '../terminal/status.ts';
import { fields } from '../terminal/table.ts';
import { count, plain } from '../terminal/text.ts';
import { duration } from '../terminal/time.ts';
import type { TimelineEvent } from '../timeline.ts';
import type { Leave } from './departure.ts';
import type { Host } from './host.ts';
import type { Outcome } from './session.ts';

/** The exit status for an execution that has ended. */
export function exitCodeOf(execution: Execution): number {
  return execution.status === 'completed' ? EXIT.ok : EXIT.failed;
}

/** What `--json` prints. `final_state` is the whole execution, state included: scripts look for it there. */
export function reportJson(execution: Execution, events: readonly TimelineEvent[]): unknown {
  return {
    execution_id: execution.execution_id,
    status: execution.status,
    ...(execution.error === undefined ? {} : { error: execution.error }),
    final_state: execution,
    steps_executed: execution.steps_executed,
    total_duration_us: tookMs(execution) * 1000,
    events,
  };
}

/** The verdict, why, and the final state. */
export function reportText(execution: Execution, events: readonly TimelineEvent[], paint: Paint): string {
  const mark = execution.status === 'completed' ? paint.green('✓') : paint.red('✗');
  const verdict = `\n${mark} ${paintStatus(execution.status, paint)} in ${duration(tookMs(execution))}, ${count(execution.steps_executed, 'step')}`;
  const why =
    execution.error === undefined
      ? []
      : [`  ${paint.red(plain(execution.error))}`, ...failures(events, execution.error).map((line) => `  ${paint.dim(line)}`)];
  return [verdict, ...why, '', plain(JSON.stringify(execution.state, null, 2), { lines: true })].join('\n');
}

/** The last error of every node that failed for good, but for those that the error of the execution tells already. */
function failures(events: readonly TimelineEvent[], told: string): readonly string[] {
  const last = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'workflow_retried') last.clear();
    if (event.node_id === null) continue;
    if (event.type === 'node_failed' && event.data.retryable !== true) last.set(event.node_id, String(event.data.error));
    if (event.type === 'node_completed') last.delete(event.node_id);
  }
  const untold = [...last].filter(([node]) => !told.includes(`${node}: `));
  return untold.map(([node, error]) => `${plain(node)}: ${plain(error)}`);
}

function reason({ left, queued }: Outcome): string {
  if (left === 'timeout') return 'the time to follow it is over';
  if (left === 'unattended') return 'it waits, and nobody is at the terminal';
  if (left !== 'no_worker') return 'interrupted';
  const nodes = queued.map((active) => `${plain(active.node)} (queue ${plain(active.queue ?? '')})`).join(', ');
  return `no function here does the work of ${nodes}`;
}

/** Where a run that was left stands, and how to go on with it. */
export function leaveText(outcome: Outcome, host: Pick<Host, 'embedded' | 'url'>, again: string, paint: Paint): string {
  const { execution } = outcome;
  const where = host.embedded ? 'It is saved and goes on when it is resumed.' : `It goes on at ${host.url}.`;
  const id = execution.execution_id;
  const ways: [string, string][] = host.embedded
    ? [['go on', outcome.left === 'no_worker' ? `${again} --tools MODULE` : again]]
    : [
        ['follow again', again],
        ['look at it', `jamjet inspect ${id}`],
        ['stop it', `jamjet cancel ${id}`],
      ];
  return `\n${paint.yellow('◆')} ${id} is ${execution.status}: ${reason(outcome)}. ${where}\n${fields(ways, paint, '  ')}`;
}

export function exitCodeOfLeave(why: Leave): number {
  return why === 'interrupted' ? EXIT.interrupted : EXIT.unfinished;
}

function tookMs(execution: Execution): number {
  return Date.parse(execution.completed_at ?? execution.updated_at) - Date.parse(execution.created_at);
}

import type { HistoryEvent } from '../../../machines/history/event.ts';
import { History } from '../../../machines/history/history.ts';
import type { Execution } from '../../client/index.ts';
import { duration } from '../../views/time.ts';
import { EXIT } from '../failure.ts';
import type { Paint } from '../terminal/paint.ts';
import { paintStatus } from '../terminal/status.ts';
import { fields } from '../terminal/table.ts';
import { count, plain } from '../terminal/text.ts';
import type { FollowOutcome } from './follow-execution.ts';
import type { FollowExitReason } from './follow-exit.ts';
import type { Host } from './host.ts';

/** Exit code for an execution that has ended. */
export function exitCodeOf(execution: Execution): number {
  return execution.status === 'completed' ? EXIT.ok : EXIT.failed;
}

/** The output of `--json`. `final_state` is the whole execution including its state, as scripts expect. */
export function reportJson(execution: Execution, events: readonly HistoryEvent[]): unknown {
  return {
    execution_id: execution.execution_id,
    status: execution.status,
    ...(execution.error === undefined ? {} : { error: execution.error }),
    final_state: execution,
    steps_executed: execution.steps_executed,
    total_duration_us: durationMs(execution) * 1000,
    events,
  };
}

/** The status, the error and the final state. */
export function reportText(execution: Execution, events: readonly HistoryEvent[], paint: Paint): string {
  const mark = execution.status === 'completed' ? paint.green('✓') : paint.red('✗');
  const verdict = `\n${mark} ${paintStatus(execution.status, paint)} in ${duration(durationMs(execution))}, ${count(execution.steps_executed, 'step')}`;
  const why =
    execution.error === undefined
      ? []
      : [`  ${paint.red(plain(execution.error))}`, ...failures(events, execution.error).map((line) => `  ${paint.dim(line)}`)];
  return [verdict, ...why, '', plain(JSON.stringify(execution.state, null, 2), { lines: true })].join('\n');
}

/** The last error of each node that failed finally, except those contained in the error of the execution. */
function failures(events: readonly HistoryEvent[], executionError: string): readonly string[] {
  const history = new History();
  for (const event of events) history.apply(event);
  return [...history.nodes.values()].flatMap(({ node, now }) => {
    const error = now?.status === 'failed' ? now.visit.attempts.at(-1)?.error : undefined;
    return error === undefined || executionError.includes(`${node}: `) ? [] : [`${plain(node)}: ${plain(error)}`];
  });
}

function exitReasonText({ exitReason, queuedNodes }: FollowOutcome): string {
  if (exitReason === 'timeout') return 'stopped following after the timeout';
  if (exitReason === 'unattended') return 'it waits for input, and there is no terminal';
  if (exitReason !== 'no_worker') return 'interrupted';
  const nodes = queuedNodes.map((active) => `${plain(active.node)} (queue ${plain(active.queue ?? '')})`).join(', ');
  return `no function is available for ${nodes}`;
}

/** The status of an execution that is no longer followed, and the commands to continue. */
export function exitNote(
  outcome: FollowOutcome,
  host: Pick<Host, 'embedded' | 'url'>,
  resumeCommand: string,
  paint: Paint,
): string {
  const { execution } = outcome;
  const consequence = host.embedded ? 'It is saved and continues when resumed.' : `It continues on ${host.url}.`;
  const id = execution.execution_id;
  const commands: [string, string][] = host.embedded
    ? [['resume', outcome.exitReason === 'no_worker' ? `${resumeCommand} --tools MODULE` : resumeCommand]]
    : [
        ['follow again', resumeCommand],
        ['inspect', `jamjet inspect ${id}`],
        ['cancel', `jamjet cancel ${id}`],
      ];
  return `\n${paint.yellow('◆')} ${id} is ${execution.status}: ${exitReasonText(outcome)}. ${consequence}\n${fields(commands, paint, '  ')}`;
}

export function exitCodeOfFollowExit(reason: FollowExitReason): number {
  return reason === 'interrupted' ? EXIT.interrupted : EXIT.unfinished;
}

function durationMs(execution: Execution): number {
  return Date.parse(execution.completed_at ?? execution.updated_at) - Date.parse(execution.created_at);
}

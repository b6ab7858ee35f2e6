import type { HistoryEvent } from '../../../machines/history/event.ts';
import { ApiError, type Execution, type JamjetClient, Unreachable } from '../../client/index.ts';
import type { ActiveNode } from '../../views/timeline.ts';
import type { Context, Input, Interrupt } from '../context.ts';
import { sleep } from '../sleep.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { Screen } from '../terminal/screen.ts';
import { isTerminal } from '../terminal/status.ts';
import { plain } from '../terminal/text.ts';
import { FollowController, FollowExit, type FollowExitReason } from './follow-exit.ts';
import { Follower } from './follower.ts';
import type { Host } from './host.ts';
import { LiveAnswers } from './live-answers.ts';
import { PipedAnswers, PipedAsker } from './piped-answers.ts';
import { type Asker, Prompter } from './prompter.ts';
import { unservedNodes } from './unserved-tools.ts';

export interface FollowOutcome {
  /** Null: the execution has ended. */
  readonly exitReason: FollowExitReason | null;
  readonly execution: Execution;
  /** For `no_worker`: the queued nodes that no function of this process executes. */
  readonly queuedNodes: readonly ActiveNode[];
  /** The events received, from the first. */
  readonly events: readonly HistoryEvent[];
}

export interface FollowSession {
  readonly context: Context;
  readonly host: Host;
  readonly interrupt: Interrupt;
  /** Print no progress, only questions, to standard error. */
  readonly quiet: boolean;
  /** Null: `UNATTENDED_TIMEOUT_S` without a terminal, else no timeout. */
  readonly timeoutMs: number | null;
}

/** Default time to follow an execution without a terminal. */
export const UNATTENDED_TIMEOUT_S = 300;

/**
 * Follows an execution, and those that continue it, shows progress and asks for approvals, until the last one ends or there is a reason to
 * stop. The outcome is that of the last one.
 */
export async function followExecution(session: FollowSession, id: string): Promise<FollowOutcome> {
  for (let current = id; ; ) {
    const outcome = await followSegment(session, current);
    const { exitReason, execution } = outcome;
    if (exitReason !== null || execution.next_execution_id === undefined) return outcome;
    current = execution.next_execution_id;
  }
}

async function followSegment(session: FollowSession, id: string): Promise<FollowOutcome> {
  const { context, host, quiet } = session;
  const { client } = host;
  const execution = await client.execution(id);
  const stream = quiet ? context.stderr : context.stdout;
  const paint = paintFor(stream, context.env);
  const screen = new Screen(stream, context.stdin);
  if (!quiet) screen.print(titleOf(execution, host, paint));

  const timeoutMs = session.timeoutMs ?? (screen.interactive ? null : UNATTENDED_TIMEOUT_S * 1000);
  const controller = new FollowController(session.interrupt, timeoutMs);
  const piped = screen.interactive || context.stdinIsPiped !== true ? null : pipedAnswersOf(context.stdin);
  const asker = screen.interactive ? screen : piped === null ? null : new PipedAsker(piped, (line) => screen.print(line));
  const prompter = asker === null ? null : createPrompter(session, asker, paint);
  const isAttended = (): boolean => prompter !== null && (prompter.isBusy || piped?.exhausted !== true);
  const answers = new LiveAnswers(host.live);
  const follower = new Follower({ client, answers, screen: quiet ? null : screen, paint, prompter, signal: controller.signal });
  const events: HistoryEvent[] = [];
  const warn = queuedWorkWarning(host, (text) => screen.print(`  ${paint.yellow('!')} ${paint.dim(text)}`));
  const explain = unservedWarning(host, execution, controller.signal, (text) => screen.print(`  ${paint.yellow('!')} ${text}`));
  const following = follower.run(execution.execution_id, (event) => {
    events.push(event);
    warn(event);
    explain(event);
  });
  const watchers = [following];
  if (prompter !== null) watchers.push(prompter.failed);
  if (host.embedded) watchers.push(exitWhenStuck({ client, id, follower, isAttended, controller }));
  let exit: FollowExit | null = null;
  try {
    await Promise.race(watchers);
  } catch (error) {
    if (!(error instanceof FollowExit)) throw error;
    exit = error;
  } finally {
    prompter?.close();
    controller.close();
    await Promise.allSettled([following]);
  }
  return {
    exitReason: exit?.reason ?? null,
    queuedNodes: exit?.queuedNodes ?? [],
    execution: await client.execution(id),
    events,
  };
}

function titleOf(execution: Execution, host: Host, paint: Paint): string {
  const { segment_number: segment } = execution;
  const workflow = `${paint.bold(plain(execution.workflow_id))} ${plain(execution.workflow_version)}`;
  const place = segment === 0 ? '' : `  segment ${segment}`;
  return `${workflow}  ${paint.dim(`${execution.execution_id}  ${host.label}${place}`)}`;
}

const PIPED = new WeakMap<Input, PipedAnswers>();

/** The answers left over from one segment of an execution are for the next. */
function pipedAnswersOf(input: Input): PipedAnswers {
  const known = PIPED.get(input) ?? new PipedAnswers(input);
  PIPED.set(input, known);
  return known;
}

function createPrompter({ host, interrupt }: FollowSession, screen: Asker, paint: Paint): Prompter {
  // No other process can send events to an embedded run, so the terminal is asked for them.
  return new Prompter({ client: host.client, screen, paint, asksForEvents: host.embedded, interrupted: interrupt.raise });
}

/** Prints the host's note once, on the first node that is queued for a worker. */
function queuedWorkWarning(host: Host, say: (text: string) => void): (event: HistoryEvent) => void {
  let remark = host.queuedWorkNote;
  return (event) => {
    if (remark === null || event.type !== 'node_scheduled' || event.data.in_process === true) return;
    say(remark);
    remark = null;
  };
}

/** Says of a node that is queued for workers if none of them serves its tool. */
function unservedWarning(
  { client, embedded }: Host,
  { workflow_id, workflow_version }: Execution,
  signal: AbortSignal,
  say: (text: string) => void,
): (event: HistoryEvent) => void {
  const explain = async (node: string, queue: string): Promise<void> => {
    const { ir } = await client.workflow(workflow_id, workflow_version, { signal });
    const text = (await unservedNodes(client, ir, [{ node, queue }])).get(node);
    if (text !== undefined) say(`${plain(node)}: ${plain(text)}`);
  };
  return ({ type, node_id, data }) => {
    if (embedded || type !== 'node_scheduled' || node_id === null || data.in_process === true) return;
    explain(node_id, String(data.queue_type)).catch((error: unknown) => {
      // The follower reports a server that is lost.
      if (!signal.aborted && !(error instanceof Unreachable) && !(error instanceof ApiError)) throw error;
    });
  };
}

const STUCK_POLL_MS = 500;

interface StuckWatch {
  readonly client: JamjetClient;
  readonly id: string;
  readonly follower: Follower;
  /** Whether a person at the terminal, or standard input, decides approvals and sends events. */
  readonly isAttended: () => boolean;
  readonly controller: FollowController;
}

/**
 * Stops following an embedded run that cannot make progress: no other process can execute its queued nodes, and without a terminal no one
 * can decide approvals or send events. Never resolves.
 */
async function exitWhenStuck({ client, id, follower, isAttended, controller }: StuckWatch): Promise<never> {
  const { signal } = controller;
  for (;;) {
    await sleep(STUCK_POLL_MS, signal);
    // Read before the execution, which then has whatever was answered.
    const attended = isAttended();
    const { status, sequence } = await client.execution(id, { signal });
    if (isTerminal(status) || follower.lastSequence < sequence) continue;
    // A wait for a person or an event may have a timeout, too.
    if (follower.hasTimer && (attended || !follower.awaitsInput)) continue;
    const queued = follower.active.filter((active) => active.queue !== null);
    const waiting = follower.active.filter((active) => active.status === 'waiting');
    const progresses = follower.active.length > queued.length + waiting.length;
    if (queued.length > 0 && !progresses && (!attended || waiting.length === 0)) controller.exit('no_worker', queued);
    else if (!attended && (status === 'paused' || follower.awaitsDecisionsOnly)) controller.exit('unattended');
  }
}

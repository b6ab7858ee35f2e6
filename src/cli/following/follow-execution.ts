import type { Execution, JamjetClient } from '../../client/index.ts';
import type { ActiveNode, TimelineEvent } from '../../views/timeline.ts';
import type { Context, Interrupt } from '../context.ts';
import { sleep } from '../sleep.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { Screen } from '../terminal/screen.ts';
import { isTerminal } from '../terminal/status.ts';
import { plain } from '../terminal/text.ts';
import { FollowController, FollowExit, type FollowExitReason } from './follow-exit.ts';
import { Follower } from './follower.ts';
import type { Host } from './host.ts';
import { Prompter } from './prompter.ts';

export interface FollowOutcome {
  /** Null: it has ended. */
  readonly exitReason: FollowExitReason | null;
  readonly execution: Execution;
  /** For `no_worker`: the nodes nobody here works on. */
  readonly queuedNodes: readonly ActiveNode[];
  /** Those seen, from the first on. */
  readonly events: readonly TimelineEvent[];
}

export interface FollowSession {
  readonly context: Context;
  readonly host: Host;
  readonly interrupt: Interrupt;
  /** Progress is for a person; without it, questions are all that is printed, to standard error. */
  readonly quiet: boolean;
  /** Null: `UNATTENDED_TIMEOUT_S` where nobody sits at the terminal, else never. */
  readonly timeoutMs: number | null;
}

/** How long a run is followed where nobody sits at the terminal. */
export const UNATTENDED_TIMEOUT_S = 300;

/** Follows an execution to its end, showing progress and asking for approvals, or until there is a reason to leave it. */
export async function followExecution(session: FollowSession, id: string): Promise<FollowOutcome> {
  const { context, host, quiet } = session;
  const { client } = host;
  const execution = await client.execution(id);
  const stream = quiet ? context.stderr : context.stdout;
  const paint = paintFor(stream, context.env);
  const screen = new Screen(stream, context.stdin);
  if (!quiet) screen.print(titleOf(execution, host, paint));

  const timeoutMs = session.timeoutMs ?? (screen.interactive ? null : UNATTENDED_TIMEOUT_S * 1000);
  const controller = new FollowController(session.interrupt, timeoutMs);
  const prompter = screen.interactive ? createPrompter(session, screen, paint) : null;
  const follower = new Follower({ client, screen: quiet ? null : screen, paint, prompter, signal: controller.signal });
  const events: TimelineEvent[] = [];
  const warn = queuedWorkWarning(host, (text) => screen.print(`  ${paint.yellow('!')} ${paint.dim(text)}`));
  const following = follower.run(execution.execution_id, (event) => {
    events.push(event);
    warn(event);
  });
  const watchers = [following];
  if (prompter !== null) watchers.push(prompter.failed);
  if (host.embedded) watchers.push(exitWhenStuck({ client, id, follower, attended: prompter !== null, controller }));
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
  const workflow = `${paint.bold(plain(execution.workflow_id))} ${plain(execution.workflow_version)}`;
  return `${workflow}  ${paint.dim(`${execution.execution_id}  ${host.label}`)}`;
}

function createPrompter({ host, interrupt }: FollowSession, screen: Screen, paint: Paint): Prompter {
  // An embedded run is reached by no other process that could send an event.
  return new Prompter({ client: host.client, screen, paint, asksForEvents: host.embedded, interrupted: interrupt.raise });
}

/** Says once, when work is left to a worker, what may be wrong. */
function queuedWorkWarning(host: Host, say: (text: string) => void): (event: TimelineEvent) => void {
  let remark = host.queuedWorkNote;
  return (event) => {
    if (remark === null || event.type !== 'node_scheduled' || event.data.in_process === true) return;
    say(remark);
    remark = null;
  };
}

const STUCK_POLL_MS = 500;

interface StuckWatch {
  readonly client: JamjetClient;
  readonly id: string;
  readonly follower: Follower;
  /** Is there somebody who decides and sends events? */
  readonly attended: boolean;
  readonly controller: FollowController;
}

/**
 * An embedded run is reached by nobody else: work that no function here does would stay in its queue for ever, and without a
 * terminal so would an approval, or a wait without a timer. Never resolves.
 */
async function exitWhenStuck({ client, id, follower, attended, controller }: StuckWatch): Promise<never> {
  const { signal } = controller;
  for (;;) {
    await sleep(STUCK_POLL_MS, signal);
    const { status, sequence } = await client.execution(id, { signal });
    if (isTerminal(status) || follower.lastSequence < sequence || follower.hasTimer) continue;
    const queued = follower.active.filter((active) => active.queue !== null);
    const waiting = follower.active.filter((active) => active.status === 'waiting');
    const progresses = follower.active.length > queued.length + waiting.length;
    if (queued.length > 0 && !progresses && (!attended || waiting.length === 0)) controller.exit('no_worker', queued);
    else if (status === 'paused' && !attended) controller.exit('unattended');
  }
}

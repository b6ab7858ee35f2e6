import type { Execution, JamjetClient } from '../../client.ts';
import type { Context, Interrupt } from '../context.ts';
import { pause } from '../pause.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { Screen } from '../terminal/screen.ts';
import { isTerminal } from '../terminal/status.ts';
import { plain } from '../terminal/text.ts';
import type { Active, TimelineEvent } from '../timeline.ts';
import { Asker } from './asker.ts';
import { Departure, type Leave, Left } from './departure.ts';
import { Follower } from './follow.ts';
import type { Host } from './host.ts';

export interface Outcome {
  /** Null: it has ended. */
  readonly left: Leave | null;
  readonly execution: Execution;
  /** For `no_worker`: the nodes nobody here works on. */
  readonly queued: readonly Active[];
  /** Those seen, from the first on. */
  readonly events: readonly TimelineEvent[];
}

export interface Session {
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
export async function followExecution(session: Session, id: string): Promise<Outcome> {
  const { context, host, quiet } = session;
  const { client } = host;
  const execution = await client.execution(id);
  const stream = quiet ? context.stderr : context.stdout;
  const paint = paintFor(stream, context.env);
  const screen = new Screen(stream, context.stdin);
  if (!quiet) screen.print(titleOf(execution, host, paint));

  const timeoutMs = session.timeoutMs ?? (screen.interactive ? null : UNATTENDED_TIMEOUT_S * 1000);
  const departure = new Departure(session.interrupt, timeoutMs);
  const asker = screen.interactive ? askerOf(session, screen, paint) : null;
  const follower = new Follower({ client, screen: quiet ? null : screen, paint, asker, signal: departure.signal });
  const events: TimelineEvent[] = [];
  const warn = queuedWarning(host, (text) => screen.print(`  ${paint.yellow('!')} ${paint.dim(text)}`));
  const following = follower.run(execution.execution_id, (event) => {
    events.push(event);
    warn(event);
  });
  const watches = [following];
  if (asker !== null) watches.push(asker.failed);
  if (host.embedded) watches.push(leaveWhenStuck({ client, id, follower, attended: asker !== null, departure }));
  let left: Left | null = null;
  try {
    await Promise.race(watches);
  } catch (error) {
    if (!(error instanceof Left)) throw error;
    left = error;
  } finally {
    asker?.close();
    departure.close();
    await Promise.allSettled([following]);
  }
  return { left: left?.why ?? null, queued: left?.queued ?? [], execution: await client.execution(id), events };
}

function titleOf(execution: Execution, host: Host, paint: Paint): string {
  const workflow = `${paint.bold(plain(execution.workflow_id))} ${plain(execution.workflow_version)}`;
  return `${workflow}  ${paint.dim(`${execution.execution_id}  ${host.where}`)}`;
}

function askerOf({ host, interrupt }: Session, screen: Screen, paint: Paint): Asker {
  // An embedded run is reached by no other process that could send an event.
  return new Asker({ client: host.client, screen, paint, asksForEvents: host.embedded, interrupted: interrupt.raise });
}

/** Says once, when work is left to a worker, what may be wrong. */
function queuedWarning(host: Host, say: (text: string) => void): (event: TimelineEvent) => void {
  let remark = host.queuedRemark;
  return (event) => {
    if (remark === null || event.type !== 'node_scheduled' || event.data.in_process === true) return;
    say(remark);
    remark = null;
  };
}

const STUCK_POLL_MS = 500;

interface Watch {
  readonly client: JamjetClient;
  readonly id: string;
  readonly follower: Follower;
  /** Is there somebody who decides and sends events? */
  readonly attended: boolean;
  readonly departure: Departure;
}

/**
 * An embedded run is reached by nobody else: work that no function here does would stay in its queue for ever, and without a
 * terminal so would an approval, or a wait without a timer. Never resolves.
 */
async function leaveWhenStuck({ client, id, follower, attended, departure }: Watch): Promise<never> {
  const { signal } = departure;
  for (;;) {
    await pause(STUCK_POLL_MS, signal);
    const { status, sequence } = await client.execution(id, { signal });
    if (isTerminal(status) || follower.seen < sequence || follower.timed) continue;
    const queued = follower.active.filter((active) => active.queue !== null);
    const waiting = follower.active.filter((active) => active.mark === 'waiting');
    const moves = follower.active.length > queued.length + waiting.length;
    if (queued.length > 0 && !moves && (!attended || waiting.length === 0)) departure.leave('no_worker', queued);
    else if (status === 'paused' && !attended) departure.leave('unattended');
  }
}

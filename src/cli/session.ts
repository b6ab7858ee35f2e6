import type { Execution, JamjetClient } from '../client.ts';
import { Asker } from './asker.ts';
import type { Context, Interrupt } from './context.ts';
import { Follower } from './follow.ts';
import type { Host } from './host.ts';
import { pause } from './pause.ts';
import { paintFor } from './terminal/paint.ts';
import { Screen } from './terminal/screen.ts';
import { isTerminal } from './terminal/status.ts';
import { plain } from './terminal/text.ts';
import type { Active, TimelineEvent } from './timeline.ts';

/** Why following ended before the execution did. */
export type Leave = 'interrupted' | 'timeout' | 'unattended' | 'no_worker';

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

class Left extends Error {
  readonly why: Leave;
  readonly queued: readonly Active[];

  constructor(why: Leave, queued: readonly Active[] = []) {
    super(why);
    this.why = why;
    this.queued = queued;
  }
}

/** Follows an execution to its end, showing progress and asking for approvals, or until there is a reason to leave it. */
export async function followExecution(session: Session, id: string): Promise<Outcome> {
  const { context, host, interrupt, quiet } = session;
  const { client } = host;
  const execution = await client.execution(id);
  const stream = quiet ? context.stderr : context.stdout;
  const paint = paintFor(stream, context.env);
  const screen = new Screen(stream, context.stdin);
  if (!quiet) {
    const title = `${paint.bold(plain(execution.workflow_id))} ${plain(execution.workflow_version)}`;
    screen.print(`${title}  ${paint.dim(`${execution.execution_id}  ${host.where}`)}`);
  }

  const leaving = new AbortController();
  const leave = (why: Leave, queued?: readonly Active[]) => leaving.abort(new Left(why, queued));
  const onInterrupt = () => leave('interrupted');
  const asker = screen.interactive
    ? new Asker({
        client,
        screen,
        paint,
        asksForEvents: host.embedded,
        // No token says who sits here.
        userId: host.embedded ? context.env.USER || context.env.USERNAME || 'terminal' : null,
        interrupted: interrupt.raise,
      })
    : null;
  const follower = new Follower({ client, screen: quiet ? null : screen, paint, asker, signal: leaving.signal });
  interrupt.signal.addEventListener('abort', onInterrupt, { once: true });
  if (interrupt.signal.aborted) onInterrupt();
  const timeoutMs = session.timeoutMs ?? (screen.interactive ? null : UNATTENDED_TIMEOUT_S * 1000);
  const timer = timeoutMs === null ? null : setTimeout(() => leave('timeout'), timeoutMs);
  const events: TimelineEvent[] = [];
  let remark = host.queuedRemark;
  const following = follower.run(execution.execution_id, (event) => {
    events.push(event);
    if (remark === null || event.type !== 'node_scheduled' || event.data.in_process === true) return;
    screen.print(`  ${paint.yellow('!')} ${paint.dim(remark)}`);
    remark = null;
  });
  const watches = [following];
  if (asker !== null) watches.push(asker.failed);
  if (host.embedded)
    watches.push(leaveWhenStuck({ client, id, follower, attended: asker !== null, leave, signal: leaving.signal }));
  let left: Leave | null = null;
  let queued: readonly Active[] = [];
  try {
    await Promise.race(watches);
  } catch (error) {
    if (!(error instanceof Left)) throw error;
    left = error.why;
    queued = error.queued;
  } finally {
    if (timer !== null) clearTimeout(timer);
    interrupt.signal.removeEventListener('abort', onInterrupt);
    asker?.close();
    leave('interrupted');
    await Promise.allSettled([following]);
  }
  return { left, queued, execution: await client.execution(id), events };
}

const STUCK_POLL_MS = 500;

interface Watch {
  readonly client: JamjetClient;
  readonly id: string;
  readonly follower: Follower;
  /** Is there somebody who decides and sends events? */
  readonly attended: boolean;
  readonly leave: (why: Leave, queued?: readonly Active[]) => void;
  readonly signal: AbortSignal;
}

/**
 * An embedded run is reached by nobody else: work that no function here does would stay in its queue for ever, and without a
 * terminal so would an approval, or a wait without a timer. Never resolves.
 */
async function leaveWhenStuck({ client, id, follower, attended, leave, signal }: Watch): Promise<never> {
  for (;;) {
    await pause(STUCK_POLL_MS, signal);
    const { status, sequence } = await client.execution(id, { signal });
    if (isTerminal(status) || follower.seen < sequence || follower.timed) continue;
    const queued = follower.active.filter((active) => active.queue !== null);
    const waiting = follower.active.filter((active) => active.mark === 'waiting');
    const moves = follower.active.length > queued.length + waiting.length;
    if (queued.length > 0 && !moves && (!attended || waiting.length === 0)) leave('no_worker', queued);
    else if (status === 'paused' && !attended) leave('unattended');
  }
}

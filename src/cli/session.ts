import type { Execution, JamjetClient } from '../client.ts';
import { Asker } from './asker.ts';
import type { Context, Interrupt } from './context.ts';
import { Follower } from './follow.ts';
import type { Host } from './host.ts';
import { paintFor } from './terminal/paint.ts';
import { Screen } from './terminal/screen.ts';
import { isTerminal } from './terminal/status.ts';
import { plain, width } from './terminal/text.ts';
import type { TimelineEvent } from './timeline.ts';

/** Why following ended before the execution did. */
export type Leave = 'interrupted' | 'timeout' | 'unattended';

export interface Outcome {
  /** Null: it has ended. */
  readonly left: Leave | null;
  readonly execution: Execution;
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

  constructor(why: Leave) {
    super(why);
    this.why = why;
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
  const leave = (why: Leave) => leaving.abort(new Left(why));
  const onInterrupt = () => leave('interrupted');
  interrupt.signal.addEventListener('abort', onInterrupt, { once: true });
  if (interrupt.signal.aborted) onInterrupt();
  const timeoutMs = session.timeoutMs ?? (screen.interactive ? null : UNATTENDED_TIMEOUT_S * 1000);
  const timer = timeoutMs === null ? null : setTimeout(() => leave('timeout'), timeoutMs);

  const asker = screen.interactive
    ? new Asker({ client, screen, paint, asksForEvents: host.embedded, interrupted: interrupt.raise })
    : null;
  const nodeWidth = await nodeWidthOf(client, execution);
  const follower = new Follower({ client, screen: quiet ? null : screen, paint, nodeWidth, asker, signal: leaving.signal });
  const events: TimelineEvent[] = [];
  const following = follower.run(execution.execution_id, (event) => events.push(event));
  const watches = [following];
  if (asker !== null) watches.push(asker.failed);
  else if (host.embedded) watches.push(leaveWhenStuck(client, id, follower, leave, leaving.signal));
  let left: Leave | null = null;
  try {
    await Promise.race(watches);
  } catch (error) {
    if (!(error instanceof Left)) throw error;
    left = error.why;
  } finally {
    if (timer !== null) clearTimeout(timer);
    interrupt.signal.removeEventListener('abort', onInterrupt);
    asker?.close();
    leave('interrupted');
    await Promise.allSettled([following]);
  }
  return { left, execution: await client.execution(id), events };
}

const STUCK_POLL_MS = 1000;
const WAIT_MS = 20_000;

/**
 * Embedded and without a terminal nobody can decide or send anything: an execution that waits for a person or an event alone
 * would wait for ever. Never resolves.
 */
async function leaveWhenStuck(
  client: JamjetClient,
  id: string,
  follower: Follower,
  leave: (why: Leave) => void,
  signal: AbortSignal,
): Promise<never> {
  for (;;) {
    const { status, sequence } = await client.execution(id, { waitMs: WAIT_MS, signal });
    if (status === 'paused' && follower.seen >= sequence && !follower.timed) leave('unattended');
    signal.throwIfAborted();
    if (status === 'paused' || isTerminal(status)) await pause(STUCK_POLL_MS, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

/** Columns for node names: those of the workflow, within reason. */
async function nodeWidthOf(client: JamjetClient, execution: Execution): Promise<number> {
  const { ir } = await client.workflow(execution.workflow_id, execution.workflow_version);
  const names = Object.keys((ir.nodes ?? {}) as object);
  return Math.min(32, Math.max(8, ...names.map((name) => width(plain(name)))));
}

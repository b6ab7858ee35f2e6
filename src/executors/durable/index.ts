import { type AuthoredMachine, authoredMachineOf } from '../../../machines/authored/machine.ts';
import type { Json } from '../../../machines/json.ts';
import type { Work } from '../../../machines/run.ts';
import { type AttemptCode, withinAttempt } from '../attempt-code.ts';
import { type Executor, type WorkContext, WorkError } from '../executor.ts';
import type { JournalAccess } from '../journal-access.ts';
import { toJson } from '../to-json.ts';
import type { DurableContext } from './context.ts';
import { JournalSession, type Outcome } from './journal-session.ts';
import type { Activity } from './machine/activity.ts';
import { runMachine } from './machine/index.ts';
import { durableContext } from './operations.ts';

/** A function that is registered as durable. */
export type DurableCode = (input: Json, context: DurableContext) => unknown;

/** Runs a durable function: the one that is parked in memory goes on, any other begins at its top. */
export function durableExecutor(code: DurableCode): Executor {
  return async (work, context, _onText, _log, access) => {
    if (access === undefined) throw new WorkError('a durable function needs a journal', { retryable: false });
    const parked = access.take();
    const session = parked instanceof JournalSession ? parked : begun(code, work, context, access);
    return session.work(context, access);
  };
}

function begun(code: DurableCode, work: Work, context: WorkContext, access: JournalAccess): JournalSession {
  const { calls } = work.payload;
  const session = new JournalSession(context, access, Array.isArray(calls) ? calls : null);
  // After the attempt has begun to be worked for.
  queueMicrotask(() => void run(code, work, session));
  return session;
}

async function run(code: DurableCode, work: Work, session: JournalSession): Promise<void> {
  const machine = authoredMachineOf<Activity>(code);
  const { executionId, nodeId: node } = session.context;
  const owner: AttemptCode = {
    executionId,
    node,
    get attempt() {
      return session.context.attempt;
    },
    // What follows an error of an activity, the machine says itself.
    failUnhandled: (error) => session.fail(machine === null ? error : error.with({ retryable: false })),
  };
  session.end(await withinAttempt(owner, () => outcomeOf(code, machine, work, session)));
}

async function outcomeOf(
  code: DurableCode,
  machine: AuthoredMachine<Activity> | null,
  work: Work,
  session: JournalSession,
): Promise<Outcome> {
  try {
    const input = toJson(work.input, 'input', Number.POSITIVE_INFINITY);
    if (machine !== null) return { output: await runMachine(machine, input, session) };
    return { output: await code(input, durableContext(session, work)) };
  } catch (error) {
    return { error };
  }
}

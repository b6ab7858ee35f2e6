import { TERMINAL } from '../../machines/run.ts';
import type { RuntimeContext } from './context.ts';
import { type ExecutionCommit, isBeginning } from './engine/commit/execution-commit.ts';
import { isSettled } from './queries/execution-queries.ts';
import { WakeupSignal } from './queries/wakeup-signal.ts';
import type { ServerRuntime } from './types/server-runtime.ts';

/** Wakes the readers of an execution after each of its commits, and all readers when the runtime stops. */
export function commitSignal(context: RuntimeContext): WakeupSignal {
  return wakeupSignal(context, () => true);
}

/**
 * Wakes those who wait until an execution is paused or has ended. What another runtime commits wakes them in any case, since its
 * notification does not tell the status.
 */
export function settledSignal(context: RuntimeContext): WakeupSignal {
  return wakeupSignal(context, ({ after }) => isSettled(after.run.status));
}

function wakeupSignal({ events, stopping }: RuntimeContext, isNews: (commit: ExecutionCommit) => boolean): WakeupSignal {
  const signal = new WakeupSignal();
  events.on('committed', (commit) => {
    if (isNews(commit)) signal.wake(commit.after.id);
  });
  events.on('committedElsewhere', ({ id }) => signal.wake(id));
  events.on('resync', () => signal.wakeAll());
  stopping.addEventListener('abort', () => signal.wakeAll(), { once: true });
  return signal;
}

/** Calls `subscriber` after the commits of all runtimes; null = some may have been missed. */
export function onCommit({ events }: RuntimeContext, subscriber: Parameters<ServerRuntime['onCommit']>[0]): () => void {
  const ends = [
    events.on('committed', (commit) => {
      const { tenantId, id, run } = commit.after;
      subscriber({ tenantId, executionId: id, began: isBeginning(commit), ended: TERMINAL.has(run.status) });
    }),
    events.on('committedElsewhere', ({ tenantId, id, started: began, ended }) =>
      subscriber({ tenantId, executionId: id, began, ended }),
    ),
    events.on('resync', () => subscriber(null)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Calls `subscriber` when another process changes the control plane; null = it may have. */
export function onControl({ events }: RuntimeContext, subscriber: Parameters<ServerRuntime['onControl']>[0]): () => void {
  const ends = [events.on('controlChanged', subscriber), events.on('resync', () => subscriber(null))];
  return () => {
    for (const end of ends) end();
  };
}

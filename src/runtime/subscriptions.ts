import { TERMINAL } from '../../machines/run.ts';
import type { RuntimeContext } from './context.ts';
import { isBeginning } from './engine/commit/execution-commit.ts';
import { WakeupSignal } from './queries/wakeup-signal.ts';
import type { ServerRuntime } from './types/server-runtime.ts';

/** Wakes the readers of an execution after each of its commits, and all readers when the runtime stops. */
export function commitSignal({ events, stopping }: RuntimeContext): WakeupSignal {
  const signal = new WakeupSignal();
  events.on('committed', ({ after }) => signal.wake(after.id));
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

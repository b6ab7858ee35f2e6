import { TERMINAL } from '../../machines/run.ts';
import type { RuntimeContext } from './context.ts';
import { isBeginning } from './engine/commit/execution-commit.ts';
import type { EventBus } from './events.ts';
import { WakeupSignal } from './queries/wakeup-signal.ts';
import type { ServerRuntime } from './types/server-runtime.ts';

/**
 * A signal for readers of executions, who are woken by whatever another runtime commits, since its notification does not tell the status, and
 * when the runtime stops.
 */
export function executionSignal({ events, stopping }: Pick<RuntimeContext, 'events' | 'stopping'>): WakeupSignal {
  const signal = new WakeupSignal();
  events.on('committedElsewhere', ({ id }) => signal.wake(id));
  events.on('resync', () => signal.wakeAll());
  stopping.addEventListener('abort', () => signal.wakeAll(), { once: true });
  return signal;
}

/** Calls `subscriber` after the commits of all runtimes; null = some may have been missed. */
export function onCommit(events: EventBus, subscriber: Parameters<ServerRuntime['onCommit']>[0]): () => void {
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
export function onControl(events: EventBus, subscriber: Parameters<ServerRuntime['onControl']>[0]): () => void {
  const ends = [events.on('controlChanged', subscriber), events.on('resync', () => subscriber(null))];
  return () => {
    for (const end of ends) end();
  };
}

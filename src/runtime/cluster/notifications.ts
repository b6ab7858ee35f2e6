import type { StoreNotification } from '../../../store/port/notifications.ts';
import type { RuntimeContext } from '../context.ts';

/** Emits, as events of this runtime, what other runtimes did on the database. Returns a function that ends that. */
export function receiveNotifications({
  store,
  events,
  stopping,
}: Pick<RuntimeContext, 'store' | 'events' | 'stopping'>): () => void {
  return store.subscribe((notification: StoreNotification) => {
    if (stopping.aborted) return;
    const { executions, queues, dueAtMs, inbox, control, gap, commitsLost } = notification;
    for (const execution of executions) events.emit('committedElsewhere', execution);
    for (const queue of queues) events.emit('workQueued', queue);
    if (dueAtMs !== null) events.emit('timerSet', dueAtMs);
    if (inbox) events.emit('inboxFilled', null);
    for (const change of control) events.emit('controlChanged', change);
    if (commitsLost) events.emit('commitsLost', null);
    if (gap) events.emit('resync', null);
  });
}

import type { LRUCache } from 'lru-cache';
import type { CommittedExecution, ControlChange, StoreNotification } from '../../../store/port/notifications.ts';
import type { Children } from '../activities/children/children.ts';
import type { ExternalWork } from '../activities/external/external-work.ts';
import type { LocalActivities } from '../activities/local/local-activities.ts';
import type { RecoveryScheduler } from '../activities/recovery/recovery-scheduler.ts';
import type { CachedExecution } from '../engine/loading/execution-cache.ts';
import type { WakeupSignal } from '../queries/wakeup-signal.ts';
import type { Quotas } from '../quotas/quotas.ts';
import type { Subscribers } from '../subscribers.ts';
import type { TimerQueue } from '../timers/timer-queue.ts';
import type { Membership } from './membership.ts';

/** The queue whose work may also be done in process. */
const TOOL_QUEUE = 'tool';

export interface NotificationsOptions {
  readonly hot: LRUCache<string, CachedExecution>;
  readonly feed: WakeupSignal;
  readonly quotas: Quotas;
  readonly external: ExternalWork;
  readonly children: Children;
  readonly wakeups: TimerQueue;
  readonly peers: Membership;
  readonly ownWork: LocalActivities;
  readonly takeover: RecoveryScheduler;
  readonly listeners: Subscribers;
  readonly failed: (error: unknown) => void;
}

/** What other runtimes did, made known to whoever waits for it here. */
export class Notifications {
  readonly #options: NotificationsOptions;

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  apply({ executions, queues, dueAtMs, inbox, control, gap, commitsLost: setBack }: StoreNotification): void {
    const { external, wakeups, children, takeover } = this.#options;
    for (const execution of executions) this.#committed(execution);
    for (const { tenantId, queue } of queues) external.available(tenantId, queue);
    if (queues.some(({ queue }) => queue === TOOL_QUEUE)) takeover.onWorkQueued();
    wakeups.scheduleAt(dueAtMs);
    if (inbox) children.drainInbox();
    for (const change of control) this.#changed(change);
    if (setBack) this.#restart();
    if (gap) this.resync();
  }

  #committed(execution: CommittedExecution): void {
    const { hot, feed, quotas, ownWork, listeners } = this.#options;
    const { tenantId, id, seq, started: began, ended } = execution;
    const known = hot.peek(id);
    if (known !== undefined && known.run.seq < seq) hot.delete(id);
    quotas.committedElsewhere(tenantId, began, ended);
    feed.wake(id);
    listeners.notifyCommit({ tenantId, executionId: id, began, ended });
    ownWork.onCommittedElsewhere(execution);
  }

  #changed(change: ControlChange): void {
    const { quotas, peers, listeners, failed } = this.#options;
    if (change.type.startsWith('tenant_')) quotas.changedElsewhere();
    // Whoever stopped hands over, and need not be waited for.
    if (change.type === 'runtime_stopped' || change.type === 'runtime_started') void peers.refresh().catch(failed);
    listeners.notifyControl(change);
  }

  /** What was begun and taken over because of commits that are gone, is to be done again. */
  #restart(): void {
    this.#options.ownWork.restart();
    this.#options.takeover.restart();
  }

  /** Whatever was missed: everybody who waits looks for himself. */
  resync(): void {
    const { hot, feed, quotas, external, children, wakeups, peers, ownWork, takeover, listeners, failed } = this.#options;
    void peers.refresh().catch(failed);
    hot.clear();
    quotas.changedElsewhere();
    quotas.recount();
    feed.wakeAll();
    external.wakeAll();
    void wakeups.poll();
    children.drainInbox();
    ownWork.reconcileAll();
    takeover.onWorkQueued();
    listeners.notifyCommit(null);
    listeners.notifyControl(null);
  }
}

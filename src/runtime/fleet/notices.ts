import type { LRUCache } from 'lru-cache';
import type { CommittedExecution, ControlChange, Notice } from '../../../store/notices.ts';
import type { Children } from '../children.ts';
import type { ExternalWork } from '../external-work.ts';
import type { Feed } from '../feed.ts';
import type { Hot } from '../hot.ts';
import type { Listeners } from '../listeners.ts';
import type { Quotas } from '../quotas/quotas.ts';
import type { Wakeups } from '../wakeups.ts';
import type { OwnWork } from './own-work.ts';
import type { Peers } from './peers.ts';
import type { Takeover } from './takeover.ts';

/** The queue whose work may also be done in process. */
const TOOL_QUEUE = 'tool';

export interface NoticesOptions {
  readonly hot: LRUCache<string, Hot>;
  readonly feed: Feed;
  readonly quotas: Quotas;
  readonly external: ExternalWork;
  readonly children: Children;
  readonly wakeups: Wakeups;
  readonly peers: Peers;
  readonly ownWork: OwnWork;
  readonly takeover: Takeover;
  readonly listeners: Listeners;
  readonly failed: (error: unknown) => void;
}

/** What other runtimes did, made known to whoever waits for it here. */
export class Notices {
  readonly #options: NoticesOptions;

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  apply({ executions, queues, dueAtMs, inbox, control, gap, setBack }: Notice): void {
    const { external, wakeups, children, takeover } = this.#options;
    for (const execution of executions) this.#committed(execution);
    for (const { tenantId, queue } of queues) external.available(tenantId, queue);
    if (queues.some(({ queue }) => queue === TOOL_QUEUE)) takeover.queued();
    wakeups.noLaterThan(dueAtMs);
    if (inbox) children.drain();
    for (const change of control) this.#changed(change);
    if (setBack) this.#startOver();
    if (gap) this.lookAgain();
  }

  #committed(execution: CommittedExecution): void {
    const { hot, feed, quotas, ownWork, listeners } = this.#options;
    const { tenantId, id, seq, began, ended } = execution;
    const known = hot.peek(id);
    if (known !== undefined && known.run.seq < seq) hot.delete(id);
    quotas.committedElsewhere(tenantId, began, ended);
    feed.wake(id);
    listeners.committed({ tenantId, executionId: id, began, ended });
    ownWork.heard(execution);
  }

  #changed(change: ControlChange): void {
    const { quotas, peers, listeners, failed } = this.#options;
    if (change.type.startsWith('tenant_')) quotas.changedElsewhere();
    // Whoever stopped hands over, and need not be waited for.
    if (change.type === 'runtime_stopped' || change.type === 'runtime_started') void peers.look().catch(failed);
    listeners.changed(change);
  }

  /** What was begun and taken over because of commits that are gone, is to be done again. */
  #startOver(): void {
    this.#options.ownWork.startOver();
    this.#options.takeover.startOver();
  }

  /** Whatever was missed: everybody who waits looks for himself. */
  lookAgain(): void {
    const { hot, feed, quotas, external, children, wakeups, peers, ownWork, takeover, listeners, failed } = this.#options;
    void peers.look().catch(failed);
    hot.clear();
    quotas.changedElsewhere();
    quotas.recount();
    feed.wakeAll();
    external.wakeAll();
    void wakeups.ring();
    children.drain();
    ownWork.takeUpAll();
    takeover.queued();
    listeners.committed(null);
    listeners.changed(null);
  }
}

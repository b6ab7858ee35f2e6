import type { CommittedExecution, ControlChange } from '../../store/port/notifications.ts';
import type { Due } from '../../store/port/work-items.ts';
import type { ExecutionCommit } from './engine/commit/execution-commit.ts';

/** The events by which the parts of a runtime learn of each other, with what each event carries. */
export interface RuntimeEvents {
  /**
   * This runtime committed a step of one execution. Emitted per execution, in the order of the commits, after the caller has its
   * answer.
   */
  readonly committed: ExecutionCommit;
  /** Another runtime committed a step of one execution. May be emitted twice, late and out of order. */
  readonly committedElsewhere: CommittedExecution;
  /** Work items were put on a queue. */
  readonly workQueued: { readonly tenantId: string; readonly queue: string };
  /** Something durable falls due at this time, in milliseconds since the epoch. */
  readonly timerSet: number;
  /** Messages between executions were put into the inbox. */
  readonly inboxFilled: null;
  /** Another process changed the control plane. Null: it may have. */
  readonly controlChanged: ControlChange | null;
  /** Notifications of other runtimes may have been lost: whatever is cached or waited for is read again from the store. */
  readonly resync: null;
  /** The database lost commits that it had acknowledged. A `resync` follows. */
  readonly commitsLost: null;
  /** The list of live runtimes was read again; `gone` were live at the previous reading. */
  readonly membershipRefreshed: { readonly gone: readonly string[] };
  /** A commit failed, and the store may have applied it all the same. */
  readonly commitUncertain: null;
  /** The store failed to commit a batch. */
  readonly storeFailed: null;
  /** A tenant became active again. */
  readonly tenantReactivated: string;
  /** A tenant may have room for another live execution. Null: any tenant may. */
  readonly capacityFreed: string | null;
  /** Slots for in-process work that were reserved by a step were given back. */
  readonly slotsReleased: null;

  // For telemetry: emitted only while there is a handler.

  /** Messages of one execution were stepped. */
  readonly stepped: { readonly messages: number; readonly durationMs: number };
  /** A batch was handed to the store, in one transaction or in the parts of one that failed. */
  readonly batchCommitted: BatchCommitted;
  /** Something durable fell due and is delivered now. */
  readonly dueDelivered: { readonly kind: Due['kind']; readonly lateMs: number };
  /** An external worker was given a work item that had waited so long. */
  readonly workClaimed: { readonly tenantId: string; readonly queue: string; readonly waitedMs: number };
}

export interface BatchCommitted {
  readonly executions: number;
  readonly events: number;
  readonly durationMs: number;
  /** Executions that the store left out, because they had moved on or a precondition did not hold; and those that failed. */
  readonly rejected: number;
  readonly failed: number;
}

type Handler<K extends keyof RuntimeEvents> = (event: RuntimeEvents[K]) => void;
type Handlers = { readonly [K in keyof RuntimeEvents]: Set<Handler<K>> };

/**
 * Delivers the events of one runtime: synchronously, to the handlers in the order in which they subscribed. A handler that throws
 * is reported and does not keep the event from the others.
 */
export class EventBus {
  readonly #onError: (error: unknown) => void;
  readonly #handlers: Handlers = {
    committed: new Set(),
    committedElsewhere: new Set(),
    workQueued: new Set(),
    timerSet: new Set(),
    inboxFilled: new Set(),
    controlChanged: new Set(),
    resync: new Set(),
    commitsLost: new Set(),
    membershipRefreshed: new Set(),
    commitUncertain: new Set(),
    storeFailed: new Set(),
    tenantReactivated: new Set(),
    capacityFreed: new Set(),
    slotsReleased: new Set(),
    stepped: new Set(),
    batchCommitted: new Set(),
    dueDelivered: new Set(),
    workClaimed: new Set(),
  };

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Is there a handler? */
  has(type: keyof RuntimeEvents): boolean {
    return this.#handlers[type].size > 0;
  }

  /** Returns a function that ends the subscription. */
  on<K extends keyof RuntimeEvents>(type: K, handler: Handler<K>): () => void {
    this.#handlers[type].add(handler);
    return () => this.#handlers[type].delete(handler);
  }

  emit<K extends keyof RuntimeEvents>(type: K, event: RuntimeEvents[K]): void {
    for (const handler of this.#handlers[type]) {
      try {
        handler(event);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}

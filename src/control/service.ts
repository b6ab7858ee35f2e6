import type { Store } from '../../store/port/store.ts';
import type { Outbound } from '../executors/outbound.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Runtime } from '../runtime/types/runtime.ts';

/** What every part of the control plane may work with. */
export interface ControlDeps {
  readonly store: Store;
  readonly runtime: Runtime;
  /** The guarded HTTP client: everything that leaves for an address a client named goes through it. */
  readonly outbound: Outbound;
  readonly clock: Clock;
  /** Told of what went wrong behind the scenes. */
  readonly onError: (error: unknown) => void;
}

/** Of several runtimes on one database only one lets it go on at a time. */
export interface SingletonService extends Service {
  /** Ends what goes on by itself: it goes on elsewhere. May begin again. */
  standBy(): Promise<void>;
}

/** Something that goes on by itself, beside requests: it wakes when there is something to do, never polls. */
export interface Service {
  /** Takes up what an earlier process left. */
  start(): Promise<void>;
  /** Ends what is under way, at a point from which the next process goes on. */
  close(): Promise<void>;
}

import type { Store } from '../../store/port/store.ts';
import type { Outbound } from '../executors/outbound/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ServerRuntime } from '../runtime/types/server-runtime.ts';

/** What every service of the control plane may use. */
export interface ControlDeps {
  readonly store: Store;
  readonly runtime: ServerRuntime;
  /** HTTP client for addresses named by clients; refuses private ones unless they are allowed. */
  readonly outbound: Outbound;
  readonly clock: Clock;
  /** Called with the error of a background task. */
  readonly onError: (error: unknown) => void;
}

/** A service that runs in one process of a cluster at a time. */
export interface SingletonService extends Service {
  /** Stops because another process takes over. `start` may be called again. */
  standBy(): Promise<void>;
}

/** A background task. It runs when there is something to do and never polls. */
export interface Service {
  /** Starts, with the work that an earlier process left. */
  start(): Promise<void>;
  /** Stops at a point from which the next process can go on. */
  close(): Promise<void>;
}

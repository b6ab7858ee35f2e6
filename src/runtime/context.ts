import type { ExecutionStore } from '../../store/port/execution-store.ts';
import type { Actor } from './actor.ts';
import type { Clock } from './clock.ts';
import type { EventBus } from './events.ts';
import type { Ids } from './ids.ts';
import type { TimeSlices } from './scheduling/time-slices.ts';

/** What every part of one runtime works with. */
export interface RuntimeContext {
  readonly runtimeId: string;
  readonly store: ExecutionStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly slices: TimeSlices;
  readonly events: EventBus;
  /** Aborted when the runtime begins to close. */
  readonly stopping: AbortSignal;
  /** The runtime itself, as the actor of what it does. */
  readonly actor: Actor;
  /** Reports an error that no caller waits for. */
  readonly onError: (error: unknown) => void;
}

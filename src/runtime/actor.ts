import type { Caller } from './types/caller.ts';

/** Who caused a step, in the form the log keeps. */
export interface Actor {
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** For whom the actor says it acts; null = for itself. */
  readonly onBehalfOf: string | null;
  /** JSON text of the request context, or null. */
  readonly request: string | null;
}

/** `onBehalfOf`: a name that the caller gives beside its own, which nothing proves. */
export function actorOf(caller: Caller, onBehalfOf?: string): Actor {
  return {
    actorId: caller.actorId,
    actorType: caller.actorType,
    onBehalfOf: onBehalfOf === undefined || onBehalfOf === caller.actorId ? null : onBehalfOf,
    request: caller.request === undefined ? null : JSON.stringify(caller.request),
  };
}

import type { Caller } from './types/caller.ts';

/** The actor of an event, as the log stores it. */
export interface Actor {
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** On whose behalf the actor said to act, unverified; null = its own. */
  readonly onBehalfOf: string | null;
  /** The request context as JSON text; null = the event was not caused by an HTTP request. */
  readonly request: string | null;
}

/** `onBehalfOf`: a name that the caller gives, unverified. */
export function actorOf(caller: Caller, onBehalfOf?: string): Actor {
  return {
    actorId: caller.actorId,
    actorType: caller.actorType,
    onBehalfOf: onBehalfOf === undefined || onBehalfOf === caller.actorId ? null : onBehalfOf,
    request: caller.request === undefined ? null : JSON.stringify(caller.request),
  };
}

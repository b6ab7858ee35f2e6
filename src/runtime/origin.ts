import type { Caller } from './types.ts';

/** Who caused a step, in the form the log keeps. */
export interface Origin {
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** JSON text of the request context, or null. */
  readonly request: string | null;
}

export function originOf(caller: Caller): Origin {
  return {
    actorId: caller.actorId,
    actorType: caller.actorType,
    request: caller.request === undefined ? null : JSON.stringify(caller.request),
  };
}

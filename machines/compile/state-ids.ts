/** Ids of states: node ids stand for themselves, everything else has a colon, which node ids in state ids never have. */

/** Characters that mean something to XState or to us, percent-encoded. Letters of any script stay readable. */
export function stateId(nodeId: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must not stay.
  return nodeId.replace(/[.#:\\*%\s\u0000-\u001f\u007f]/gu, (character) =>
    encodeURIComponent(character).replace('*', '%2A').replace('.', '%2E'),
  );
}

export const START = 'run:start';
export const FINISH = 'run:finish';
export const endStateId = (status: string): string => `end:${status}`;
export const backoffStateId = (id: string): string => `retry:${id}`;
export const approvalStateId = (id: string): string => `hold:${id}`;
/** A subgraph node whose child is paused, and one whose child runs again. */
export const pausedChildStateId = (id: string): string => `paused:${id}`;
export const resumedChildStateId = (id: string): string => `resumed:${id}`;
export const choiceStateId = (id: string): string => `route:${id}`;
export const joinGuardStateId = (id: string): string => `gate:${id}`;

/** The delay of a retry, as the message that failed the attempt says. */
export const BACKOFF = 'backoff';

/** The id XState gives the timer of a state's `after`; durable timers carry it. */
export function timerId(delay: number | string, state: string): string {
  return `xstate.after.${delay}.${state}`;
}

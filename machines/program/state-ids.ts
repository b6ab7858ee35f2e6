/** Ids of states. The state of a node has the node's id; every other state id has a colon, which node ids in state ids never have. */

/** A node id with the characters that XState or the runtime treats specially percent-encoded. Letters of any script stay readable. */
export function stateId(nodeId: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must not stay.
  return nodeId.replace(/[.#:\\*%\s\u0000-\u001f\u007f]/gu, (character) =>
    encodeURIComponent(character).replace('*', '%2A').replace('.', '%2E'),
  );
}

export const START = 'run:start';
export const FINISH = 'run:finish';
/** Chooses the next finalizer, or the end. */
export const FINALIZE = 'run:finalize';
export const endStateId = (status: string): string => `end:${status}`;
export const backoffStateId = (id: string): string => `retry:${id}`;
export const approvalStateId = (id: string): string => `approval:${id}`;
/** A node whose scores a person reviews. */
export const reviewStateId = (id: string): string => `review:${id}`;
/** A node whose child execution is paused, and one whose child runs again. */
export const pausedChildStateId = (id: string): string => `paused:${id}`;
export const resumedChildStateId = (id: string): string => `resumed:${id}`;
/** A durable function that waits for people, events and times; and one that waits for the next attempt of a step. */
export const parkedStateId = (id: string): string => `parked:${id}`;
export const waitingStateId = (id: string): string => `waiting:${id}`;
export const choiceStateId = (id: string): string => `route:${id}`;
export const subgraphStateId = (key: string): string => `subgraph:${key}`;
export const laneStateId = (id: string): string => `lane:${id}`;
/** The end of the lane that begins with a node. */
export const laneEndStateId = (id: string): string => `finished:${id}`;
export const joinGuardStateId = (id: string): string => `guard:${id}`;

/** Name of the delay of a retry, which the event of the failed attempt carries. */
export const BACKOFF = 'backoff';

/** Name of the delay of a parked node whose template says when its time is over: it is set when the node begins. */
export const PARKED = 'parked';

/** The id of the timer of an execution that is started for later. */
export const START_TIMER = 'start';

/** The id that XState gives the timer of a state's `after`. Durable timers have the same id. */
export function timerId(delay: number | string, state: string): string {
  return `xstate.after.${delay}.${state}`;
}

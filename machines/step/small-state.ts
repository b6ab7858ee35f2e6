import type { JsonObject } from '../json.ts';

/** Characters of JSON up to which a state is copied into an event. */
const SMALL = 4096;

/** The state if it is small. Events leave a large one out; readers fill it in from the state at that sequence. */
export function smallState(state: JsonObject): JsonObject | null {
  return JSON.stringify(state).length <= SMALL ? state : null;
}

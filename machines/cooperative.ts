/**
 * A long computation that pauses between its parts, for callers that must not hold up others: whoever runs it decides what happens in a
 * pause. What it computes does not depend on it.
 */
export type Cooperative<T> = Generator<undefined, T>;

/** Runs it to its end at once. */
export function runToEnd<T>(computation: Cooperative<T>): T {
  for (;;) {
    const { done, value } = computation.next();
    if (done === true) return value;
  }
}

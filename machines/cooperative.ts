/**
 * A long computation that yields between its parts, so that the caller can run other work in between. The result does not depend on the
 * pauses.
 */
export type Cooperative<T> = Generator<undefined, T>;

/** Runs a computation to its end without pauses. */
export function runToEnd<T>(computation: Cooperative<T>): T {
  for (;;) {
    const { done, value } = computation.next();
    if (done === true) return value;
  }
}

const MIB = 1024 * 1024;

/** Limits of one execution, in bytes of JSON text in UTF-8. `docs/semantics.md` documents them. */
export const LIMITS = {
  /** One output, or the final state of a child. */
  outputBytes: 8 * MIB,
  stateBytes: 16 * MIB,
  /** All outputs that are pending as inputs of other nodes. */
  pendingInputBytes: 16 * MIB,
  /** External events for which no node waits yet. */
  bufferedEvents: 1_000,
  bufferedBytes: 16 * MIB,
  /** Events in the log above which external events are refused unless a node waits for them. */
  logEvents: 100_000,
  /** The log of an execution that is retried, which is all in memory. */
  retriedLogBytes: 256 * MIB,
  /** The data of all events of one step. */
  stepBytes: 64 * MIB,
} as const;

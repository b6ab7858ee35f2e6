const MIB = 1024 * 1024;

/** Limits on what one execution may hold. Sizes are bytes of JSON text in UTF-8; `docs/semantics.md` lists them. */
export const LIMITS = {
  /** Of one output, or of a child's final state. */
  outputBytes: 8 * MIB,
  stateBytes: 16 * MIB,
  /** Outputs on their way to the nodes that read them, together. */
  pendingInputBytes: 16 * MIB,
  /** Events that arrived before a node waits for them. */
  bufferedEvents: 1_000,
  bufferedBytes: 16 * MIB,
  /** Events of the log beyond which external events that no node waits for are refused. */
  logEvents: 100_000,
  /** Log of an execution that can be retried: its events are in memory at a time. */
  retriedLogBytes: 256 * MIB,
  /** Data of the events of one step. */
  stepBytes: 64 * MIB,
} as const;

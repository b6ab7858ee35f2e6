/** Messages per batch. Only clients older than protocol 2025-06-18 send batches. */
export const MAX_BATCH_MESSAGES = 32;
/** Concurrent tool calls per batch. */
export const BATCH_CONCURRENCY = 2;
/** Maximum size of the reply of one tool, in bytes: more than a model reads. */
export const MAX_TOOL_REPLY_BYTES = 1024 * 1024;
/** Maximum size of all replies of a batch, in bytes. A reply that is too large counts as `MAX_TOOL_REPLY_BYTES`. */
export const MAX_BATCH_REPLY_BYTES = 4 * 1024 * 1024;
/** Maximum number of events that `jamjet_get_events` returns. */
export const EVENTS_PER_PAGE = 100;
